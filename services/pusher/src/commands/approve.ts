import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import { heldSetOf, shortHash, type HeldItem } from "../plan/guards/held-set.ts";
import {
  approvalKey,
  keptHeldKey,
  keptHeldSchema,
  pack,
  unpack,
  type Approval,
  type HeldGroup,
} from "../reconcile/kept-held.ts";
import type { Memory } from "../reconcile/memory.ts";
import type { Answer } from "./answer.ts";
import { connected } from "./bus-init.ts";

export interface ApprovePorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly memory: Pick<Memory, "load" | "save">;
}

export interface ApproveOptions {
  /** Of the set that is approved, or its first digits; undefined = list what waits. */
  readonly hash: string | undefined;
  readonly who: string;
  readonly waitMs: number;
}

/** What waits for an approval on one target, as its pusher told it. */
export interface Waiting {
  readonly target: string;
  readonly hash: string;
  /** ISO date at which the set became this one. */
  readonly since: string;
  readonly groups: readonly HeldGroup[];
  /** Undefined where there are more than can be kept by address. */
  readonly items: readonly HeldItem[] | undefined;
}

/** Fewer digits of a hash name nothing. */
const LEAST_DIGITS = 8;

/**
 * Lets go what a guard holds on one target: exactly the set that was shown under this hash. The pusher that writes the
 * target takes it up within 2 s. Without a hash it lists what waits.
 *
 * @throws UserError for a hash that names nothing that waits
 */
export async function approveCommand(
  configuration: Configuration,
  ports: ApprovePorts,
  { hash, who, waitMs }: ApproveOptions,
): Promise<Answer> {
  await connected(ports.bus, ports.clock, waitMs);
  const waiting = await whatWaits(configuration, ports, waitMs);
  if (hash === undefined) {
    const text = waiting.length === 0 ? "nothing waits for an approval" : listed(waiting);
    return { text, json: waiting, code: 0 };
  }
  const found = named(hash, waiting);
  const { target, groups, items } = found;
  if (items === undefined)
    throw new UserError(
      `approve ${hash}: more is held on ${target} than can be approved at once; raise guards.massRemoval of the target or the route for as long as it takes`,
    );
  const at = Math.round(ports.clock.now());
  const approval: Approval = { v: 1, target, hash: found.hash, by: who, at, ...pack(items) };
  if (!(await ports.memory.save(approvalKey(target, found.hash), approval)))
    throw new UserError("the approval could not be stored on NATS: try again");
  const lines = [
    `approved by ${who}: the pusher that writes ${target} lets these go, and nothing else`,
    ...groupLines(groups),
  ];
  const mode = configuration.targets.find(({ name }) => name === target)?.mode;
  if (mode !== "enforce")
    lines.push(`but ${target} is in mode ${mode}: nothing is written until it is enforce`);
  return { text: lines.join("\n"), json: { ...found, by: who, at: new Date(at).toISOString() }, code: 0 };
}

/** What waits on every configured target. */
export async function whatWaits(
  { targets }: Configuration,
  { clock, memory }: Pick<ApprovePorts, "clock" | "memory">,
  waitMs: number,
): Promise<Waiting[]> {
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  const found = await Promise.all(
    targets.map(async ({ name }): Promise<Waiting[]> => {
      const kept = await memory.load(keptHeldKey(name), keptHeldSchema, late.signal);
      if (kept === undefined || kept.hash === "") return [];
      const items = unpack(kept)?.filter(({ approval }) => approval === undefined);
      // Of a set that is on record only in part nobody may approve the whole.
      const isWhole = items !== undefined && heldSetOf(name, items).hash === kept.hash;
      const groups = kept.groups.filter(({ approval }) => approval === undefined);
      const since = new Date(kept.since).toISOString();
      return [{ target: name, hash: kept.hash, since, groups, items: isWhole ? items : undefined }];
    }),
  );
  cancel();
  return found.flat();
}

function named(given: string, waiting: readonly Waiting[]): Waiting {
  const [found, ...more] =
    given.length < LEAST_DIGITS ? [] : waiting.filter(({ hash }) => hash.startsWith(given));
  if (found !== undefined && more.length === 0) return found;
  const now = waiting.map(({ target, hash }) => `${shortHash(hash)} on ${target}`).join(", ");
  throw new UserError(
    `approve ${given}: nothing waits under this hash. ${now === "" ? "Nothing waits at all" : `These wait: ${now}`}. What is held has changed since it was shown: look at it again with podgate-pusher plan`,
  );
}

function listed(waiting: readonly Waiting[]): string {
  const lines = waiting.flatMap(({ target, hash, since, groups }) => [
    `target ${target}, since ${since}:`,
    ...groupLines(groups),
    `  podgate-pusher approve ${shortHash(hash)}`,
  ]);
  return lines.join("\n");
}

const groupLines = (groups: readonly HeldGroup[]): string[] =>
  groups.map(
    ({ count, group, cluster, cause, guard, reason }) =>
      `  ${count} of ${group} (cluster ${cluster}), ${cause}, held by ${guard}: ${reason}`,
  );
