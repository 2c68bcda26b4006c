import { hash as digest } from "node:crypto";
import { parseTargetStatus, STATUS_BUCKET, targetStatusKey } from "@podgate/shared/contract/status";
import { UnreadableMessage } from "@podgate/shared/contract/version";
import { UserError } from "@podgate/shared/runtime/errors";
import { deviceOf, type Configuration, type TargetConfiguration } from "../configuration.ts";
import { FirewallError, type Actual, type Firewall, type Outcome, type Step } from "../firewall/firewall.ts";
import { cleanSteps, markedOn, remainsOf } from "../plan/clean-steps.ts";
import { shortHash } from "../plan/guards/held-set.ts";
import { objectOf } from "../reconcile/applied-line.ts";
import { TokenBucket } from "../reconcile/budget.ts";
import { deviceLeaseKey } from "../reconcile/lease-entry.ts";
import { LeaseBoard } from "../reconcile/lease-board.ts";
import { withDevice } from "../reconcile/lease-loan.ts";
import { Lockout } from "../reconcile/lockout.ts";
import { Memory } from "../reconcile/memory.ts";
import { recordTarget } from "../reconcile/target-record.ts";
import type { Answer } from "./answer.ts";
import { connected } from "./bus-init.ts";
import { proven, shown, type Left } from "./clean-answer.ts";
import type { LookPorts } from "./look.ts";

export interface CleanOptions {
  readonly target: string;
  /** Hash of what was shown; undefined = show it. */
  readonly approve: string | undefined;
  readonly who: string;
  readonly waitMs: number;
}

/** A call that got no clear answer is tried so often, after this long, doubled each time. */
const TRIES = 4;
const AGAIN_MS = 500;

/**
 * Takes everything that carries our mark off one target: without a hash it shows what; with the hash of that it does
 * it, under the device's lease, and reads the target back.
 *
 * @throws UserError where a pusher writes the target, the target cannot be read, or the hash is of something else
 */
export async function cleanCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: CleanOptions,
): Promise<Answer> {
  const { approve, who, waitMs } = options;
  const target = targetNamed(configuration, options.target);
  await connected(ports.bus, ports.clock, waitMs);
  const lockout = await requireToken(target, ports, waitMs);
  if (approve === undefined) {
    const actual = await withFirewall(
      target,
      ports,
      () => true,
      (firewall) => read(firewall, lockout),
    );
    return shown(target, markedOn(actual), hashOf(configuration, target, actual));
  }
  await requireUnwritten(configuration, target, ports);
  const device = deviceOf(target.url);
  const identity = `clean_${Math.floor(ports.random() * 2 ** 48).toString(36)}`;
  const loan = { device, identity, seconds: configuration.leaseSeconds, waitMs };
  return withDevice(loan, ports, (holds, lost) =>
    withFirewall(target, ports, holds, async (firewall) => {
      const actual = await read(firewall, lockout);
      const hash = hashOf(configuration, target, actual);
      if (approve !== hash)
        throw new UserError(
          `--approve ${approve}: what carries our mark now is another set (${hash}): look at it with podgate-pusher clean ${target.name}`,
        );
      const refused = await cleaned(firewall, actual, target, ports, lost);
      const left = await read(firewall, lockout);
      await recordLeft(target, firewall, left, ports, lost);
      return proven(target, left, refused, who, hash);
    }),
  );
}

/** @throws UserError */
function targetNamed({ targets }: Configuration, name: string): TargetConfiguration {
  const target = targets.find((each) => each.name === name);
  if (target !== undefined) return target;
  throw new UserError(
    `no target "${name}" is configured: there are ${targets.map((each) => each.name).join(", ")}`,
  );
}

/** @throws UserError while the device must be left alone */
async function requireToken(target: TargetConfiguration, ports: LookPorts, waitMs: number): Promise<Lockout> {
  const { clock } = ports;
  const lockout = new Lockout({ device: deviceOf(target.url), memory: new Memory(ports), clock });
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  await lockout.load(late.signal);
  cancel();
  if (lockout.left(clock.monotonic()) > 0)
    throw new UserError(`target ${target.name}: the token was refused (${lockout.reason}); ${lockout.words}`);
  return lockout;
}

/** A pusher that writes the target would put everything back. @throws UserError */
async function requireUnwritten(
  { clusters }: Configuration,
  { name, mode, url }: TargetConfiguration,
  ports: LookPorts,
): Promise<void> {
  const board = new LeaseBoard(ports);
  const key = deviceLeaseKey(deviceOf(url));
  const entry = await (await board.bucket()).get(key);
  board.saw(key, entry);
  if (board.holder(key) === undefined) return;
  const bucket = await ports.bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
  const modes = new Set<string>([mode]);
  for (const cluster of clusters) {
    const statusKey = targetStatusKey(cluster.name, name);
    const status = await bucket.get(statusKey);
    try {
      if (status !== undefined) modes.add(parseTargetStatus(statusKey, status.value).mode);
    } catch (error) {
      if (!(error instanceof UnreadableMessage)) throw error;
    }
  }
  if (!modes.has("enforce")) return;
  throw new UserError(
    `target ${name} is written by a running pusher, which would put everything back: set its mode to paused first, and wait until the pusher has taken that up (within 10 s)`,
  );
}

async function withFirewall<T>(
  target: TargetConfiguration,
  ports: LookPorts,
  mayCall: () => boolean,
  use: (firewall: Firewall) => Promise<T>,
): Promise<T> {
  const opened = ports.makeFirewall(target, () => undefined, mayCall);
  try {
    opened.ready();
    return await use(opened.firewall);
  } finally {
    opened.close();
  }
}

/** So that nobody is told of something that is not there any more, once the target is not configured. */
async function recordLeft(
  target: TargetConfiguration,
  firewall: Firewall,
  actual: Actual,
  ports: LookPorts,
  signal: AbortSignal,
): Promise<void> {
  const isEmpty = remainsOf(markedOn(actual)).length === 0;
  try {
    const { serial } = await firewall.identity(signal);
    await recordTarget(target, { serial, isEmpty }, { memory: new Memory(ports), clock: ports.clock });
  } catch (error) {
    // It was cleaned, and that is what was asked for.
    if (!(error instanceof FirewallError)) throw error;
  }
}

/** @throws UserError where it cannot be read */
async function read(firewall: Firewall, lockout: Lockout): Promise<Actual> {
  try {
    return await firewall.read([], new AbortController().signal);
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error;
    if (error.reason === "unauthorized") await lockout.refused(error.message);
    throw new UserError(`the target cannot be read: ${error.message}`);
  }
}

function hashOf(
  { install }: Configuration,
  { name, url, vdom }: TargetConfiguration,
  actual: Actual,
): string {
  const text = JSON.stringify([
    install,
    name,
    url,
    vdom,
    cleanSteps(actual)
      .map((step) => JSON.stringify(step))
      .toSorted(),
  ]);
  return shortHash(digest("sha256", text, "hex"));
}

/** @returns what the device would not do */
async function cleaned(
  firewall: Firewall,
  actual: Actual,
  target: TargetConfiguration,
  { clock }: LookPorts,
  lost: AbortSignal,
): Promise<Left[]> {
  const budget = new TokenBucket(target);
  const left: Left[] = [];
  const once = async (run: () => Promise<Outcome>): Promise<Outcome> => {
    for (let attempt = 0; ; attempt += 1) {
      for (let ms = budget.take(clock.monotonic()); ms > 0; ms = budget.take(clock.monotonic()))
        await clock.sleep(ms, lost);
      lost.throwIfAborted();
      const outcome = await run();
      const isFinal = outcome.result !== "retry" || outcome.reason === "unauthorized" || attempt + 1 >= TRIES;
      if (isFinal) return outcome;
      await clock.sleep(AGAIN_MS * 2 ** attempt, lost);
    }
  };
  for (const step of cleanSteps(actual)) {
    const outcome = await once(() => firewall.apply(step, lost));
    if (outcome.result === "done") continue;
    left.push({ what: objectOf(step), reason: outcome.message });
    if (outcome.result === "retry" && outcome.reason === "unauthorized") return left;
    // Who uses it keeps it, but not what was in it.
    if (outcome.result === "refused" && step.kind === "delete-child")
      await once(() => firewall.apply(emptied(step), lost));
  }
  const outcome = await once(() => firewall.tidy(lost));
  if (outcome.result !== "done") left.push({ what: "the placeholder", reason: outcome.message });
  return left;
}

const emptied = ({ child, family, reason }: Extract<Step, { kind: "delete-child" }>): Step => ({
  kind: "put-child",
  child,
  family,
  members: [],
  added: [],
  removed: [],
  reason,
});
