import { BusError, type Bus } from "@podgate/shared/bus/bus";
import { parseState, type State } from "@podgate/shared/contract/state";
import type { TargetStatus } from "@podgate/shared/contract/status";
import { membersWildcard, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { UnreadableMessage } from "@podgate/shared/contract/version";
import type { Clock } from "@podgate/shared/runtime/clock";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { askForPhase, type AskedPhase, type LeasePlace } from "./kubernetes/asked-phase.ts";
import type { KubernetesTransport } from "./kubernetes/transport.ts";
import { Reports } from "./status/reports.ts";

export interface PhaseChange {
  readonly cluster: string;
  readonly lease: LeasePlace;
  /** Milliseconds until what is not confirmed counts as failed. */
  readonly waitMs: number;
}

export interface PhaseChangePorts {
  readonly bus: Bus;
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Shows what would go and asks. @throws UserError where nobody can be asked */
  readonly confirm: (question: string) => Promise<boolean>;
}

const POLL_MS = 250;
/** A watcher says its state every 2 s. */
const FRESH_MS = 3000;
/** A status bucket is read in milliseconds; who has none by then has no pusher. */
const STATUSES_MS = 2000;

/** @returns the exit code: 0 only when the watcher confirmed it on the bus */
export function toMaintenance(change: PhaseChange, ports: PhaseChangePorts): Promise<number> {
  return simple(
    change,
    ports,
    "maintenance",
    () => "firewalls keep what they hold until podgate-watcher resume",
  );
}

/** @returns the exit code: 0 only when the watcher says `synced` again */
export function resume(change: PhaseChange, ports: PhaseChangePorts): Promise<number> {
  return simple(
    change,
    ports,
    "synced",
    ({ members, groups }) => `it publishes ${members} members of ${groups.length} groups`,
  );
}

/**
 * Empties every group of the cluster on every firewall, after a confirmation.
 * @returns the exit code: 0 only when the watcher has nothing left, and every target says that it holds nothing
 */
export async function drain(change: PhaseChange, ports: PhaseChangePorts): Promise<number> {
  const { bus, clock, say, confirm } = ports;
  const { cluster, waitMs } = change;
  const ending = new AbortController();
  const reports = new Reports({ bus, clock, logger: silentLogger, cluster, onFlip: () => undefined });
  const reading = reports.run(ending.signal);
  try {
    await until(clock, STATUSES_MS, async () => (reports.cluster() === undefined ? undefined : true));
    const last = await stateOf(bus, cluster);
    // What the last state counts is as old as a heartbeat.
    const fresh = last && (await nextState(ports, cluster, last.sequence, FRESH_MS, () => true));
    const before = fresh ?? last;
    say(
      before === undefined
        ? `cluster ${cluster}: no watcher was heard, so nobody knows what would go`
        : `cluster ${cluster}: ${before.state.members} members of ${before.state.groups.length} groups leave every firewall`,
    );
    for (const status of reports.targets()) say(`  ${held(status)}`);
    if (!(await confirm(`drain cluster ${cluster}?`))) {
      say("nothing was changed");
      return 1;
    }
    const deadline = clock.monotonic() + waitMs;
    const left = (): number => deadline - clock.monotonic();
    await ask(change, ports, "draining");
    const state = await confirmed(ports, cluster, before?.sequence ?? 0, left(), isDrained);
    if (state === undefined) return unconfirmed(change, ports, "draining");
    say("its watcher confirms: no group has a member");
    return await emptied(change, ports, reports, state, left());
  } finally {
    ending.abort();
    await reading;
  }
}

const isDrained = ({ phase, members }: State): boolean => phase === "draining" && members === 0;

async function emptied(
  { cluster }: PhaseChange,
  { bus, clock, say }: PhaseChangePorts,
  reports: Reports,
  { epoch }: State,
  waitMs: number,
): Promise<number> {
  const last = await bus.lastMessage(streamOf(cluster), membersWildcard(cluster)).catch(() => undefined);
  // Where nobody's membership is in the stream, the claim is what a pusher must have got to: one that has just begun
  // tells of no group and no member, whatever the firewall holds.
  const told = Math.max(epoch.sequence, last?.sequence ?? 0);
  const isEmpty = ({ groups, appliedSequence }: TargetStatus): boolean =>
    appliedSequence >= told && Object.values(groups).every(({ applied }) => applied === 0);
  const done = await until(clock, waitMs, async () =>
    reports.cluster() !== undefined && reports.targets().every(isEmpty) ? true : undefined,
  );
  const targets = reports.targets();
  if (reports.cluster() === undefined) say("not confirmed: no pusher reports on this cluster");
  else if (targets.length === 0) say("no target holds groups of this cluster");
  for (const status of targets)
    say(`  ${isEmpty(status) ? `target ${status.target}: empty` : `not confirmed: ${held(status)}`}`);
  if (done === undefined) {
    say("it goes on by itself: run this command again to see what is left");
    return 1;
  }
  say(`cluster ${cluster} is drained, until podgate-watcher resume`);
  return 0;
}

function held({ target, mode, groups, error }: TargetStatus): string {
  const all = Object.values(groups);
  const applied = all.reduce((sum, group) => sum + group.applied, 0);
  const words = `target ${target}: ${applied} members of ${all.filter((group) => group.applied > 0).length} groups`;
  const why = [mode === "enforce" ? undefined : `mode ${mode}: it is not written`, error];
  return [words, ...why.filter((each) => each !== undefined)].join("; ");
}

async function simple(
  change: PhaseChange,
  ports: PhaseChangePorts,
  phase: AskedPhase,
  words: (state: State) => string,
): Promise<number> {
  const { cluster, waitMs } = change;
  const before = await stateOf(ports.bus, cluster);
  await ask(change, ports, phase);
  const state = await confirmed(
    ports,
    cluster,
    before?.sequence ?? 0,
    waitMs,
    (each) => each.phase === phase,
  );
  if (state === undefined) return unconfirmed(change, ports, phase);
  ports.say(`its watcher says ${phase}: ${words(state)}`);
  return 0;
}

async function ask(
  { cluster, lease }: PhaseChange,
  { transport, clock, say }: PhaseChangePorts,
  phase: AskedPhase,
): Promise<void> {
  const late = new AbortController();
  const cancel = clock.timer(10_000, () => late.abort());
  try {
    await askForPhase(transport, lease, phase, late.signal);
  } finally {
    cancel();
  }
  say(`cluster ${cluster}: ${phase} is asked for, in Lease ${lease.namespace}/${lease.name}`);
}

function unconfirmed({ waitMs }: PhaseChange, { say }: PhaseChangePorts, phase: AskedPhase): number {
  say(
    `not confirmed within ${waitMs / 1000} s: no watcher says ${phase}. It is kept in the Lease, and the next watcher that leads obeys; podgate-watcher check says what keeps it`,
  );
  return 1;
}

async function confirmed(...args: Parameters<typeof nextState>): Promise<State | undefined> {
  return (await nextState(...args))?.state;
}

/** The first state message after a sequence that fits. */
async function nextState(
  { bus, clock }: PhaseChangePorts,
  cluster: string,
  after: number,
  waitMs: number,
  fits: (state: State) => boolean,
): Promise<Said | undefined> {
  return until(clock, waitMs, async () => {
    const found = await stateOf(bus, cluster);
    return found !== undefined && found.sequence > after && fits(found.state) ? found : undefined;
  });
}

interface Said {
  readonly state: State;
  readonly sequence: number;
}

async function stateOf(bus: Bus, cluster: string): Promise<Said | undefined> {
  const subject = stateSubject(cluster);
  try {
    const message = await bus.lastMessage(streamOf(cluster), subject);
    return message && { state: parseState(subject, message.data), sequence: message.sequence };
  } catch (error) {
    // The bus is away, or a newer watcher speaks: nothing is confirmed.
    if (error instanceof BusError || error instanceof UnreadableMessage) return undefined;
    throw error;
  }
}

async function until<T>(
  clock: Clock,
  ms: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || clock.monotonic() >= deadline) return found;
    await clock.sleep(POLL_MS);
  }
}
