import { hash as digest } from "node:crypto";
import { parseState } from "@podgate/shared/contract/state";
import { stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { UnreadableMessage } from "@podgate/shared/contract/version";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import type { Actual } from "../firewall/firewall.ts";
import { shortHash } from "../plan/guards/held-set.ts";
import { keptClusterKey, keptClusterSchema } from "../reconcile/cluster-record.ts";
import { adoptKey, type Adopt } from "../reconcile/decision.ts";
import { Memory } from "../reconcile/memory.ts";
import type { Answer } from "./answer.ts";
import { connected } from "./bus-init.ts";
import { requireConfigured } from "./forget-cluster.ts";
import { look, type Look, type LookPorts } from "./look.ts";

export interface AdoptOptions {
  readonly cluster: string;
  /** Hash of what was shown; undefined = show it. */
  readonly approve: string | undefined;
  readonly who: string;
  readonly waitMs: number;
}

/** What the new cluster would change in one group of a target. */
interface GroupChange {
  readonly group: string;
  /** Addresses that would join, and that would leave. */
  readonly joins: readonly string[];
  readonly leaves: readonly string[];
}

interface TargetView {
  readonly target: string;
  readonly error: string | undefined;
  readonly changes: readonly GroupChange[];
}

const POLL_MS = 250;

/**
 * Takes a rebuilt cluster for the one that had its name: without a hash it shows what that would change; with the hash
 * it decides it, and waits until the running pusher has verified the new one.
 *
 * @throws UserError where there is nobody to adopt, or the hash is of something else
 */
export async function adoptClusterCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: AdoptOptions,
): Promise<Answer> {
  const { cluster, approve, who, waitMs } = options;
  const { clock } = ports;
  requireConfigured(configuration, cluster);
  requireUnpinned(configuration, cluster);
  await connected(ports.bus, clock, waitMs);
  const memory = new Memory(ports);
  const { from, uid } = await uidsOf(cluster, ports, memory, waitMs);
  const targets = await changesBy(uid, cluster, configuration, ports, waitMs);
  // A living cluster changes by the second: what is approved is who takes the place, and which groups lose members.
  const losing = targets.map(({ target, changes }) => [
    target,
    changes.filter(({ leaves }) => leaves.length > 0).map(({ group }) => group),
  ]);
  const hash = digest("sha256", JSON.stringify([configuration.install, cluster, from, uid, losing]), "hex");
  const short = shortHash(hash);
  if (approve === undefined) return shown(cluster, from, uid, targets, short);
  if (approve !== short)
    throw new UserError(
      `--approve ${approve}: it is of something else than what would change now (${short}): look at it with podgate-pusher adopt-cluster ${cluster}`,
    );
  const adopt: Adopt = { v: 1, who, when: Math.round(clock.now()), hash: short, from, uid };
  if (!(await memory.save(adoptKey(cluster), adopt)))
    throw new UserError("the decision could not be stored on the bus: nothing was changed; try again");
  const isTaken = await taken(cluster, uid, ports, memory, waitMs);
  const text = isTaken
    ? `cluster ${cluster} is now the one of uid ${uid}`
    : `it is decided, and no pusher has taken it up yet: the one that runs, or starts, will`;
  return { text, json: { cluster, from, uid, hash: short, who, taken: isTaken }, code: isTaken ? 0 : 1 };
}

/** @throws UserError */
function requireUnpinned({ clusters }: Configuration, cluster: string): void {
  const at = clusters.findIndex(({ name }) => name === cluster);
  const pinned = clusters[at]?.uid;
  if (pinned === undefined) return;
  throw new UserError(
    `clusters[${at}].uid: "${pinned}" stands in the configuration: put the new uid there instead, and the pusher takes it`,
  );
}

/** Who is known under the name, and who publishes under it. @throws UserError where they are one */
async function uidsOf(
  cluster: string,
  { bus, clock }: LookPorts,
  memory: Memory,
  waitMs: number,
): Promise<{ from: string; uid: string }> {
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  const kept = await memory.load(keptClusterKey(cluster), keptClusterSchema, late.signal);
  cancel();
  if (kept === undefined)
    throw new UserError(
      `no cluster was ever known as ${cluster}: the first one that is heard is taken, without a word`,
    );
  const last = await bus.lastMessage(streamOf(cluster), stateSubject(cluster));
  let uid: string | undefined;
  try {
    uid = last && parseState(last.subject, last.data).clusterUid;
  } catch (error) {
    if (!(error instanceof UnreadableMessage)) throw error;
    throw new UserError(`the last word of ${cluster}'s watcher cannot be read: ${error.message}`);
  }
  if (uid === undefined || uid === kept.uid)
    throw new UserError(
      `no other cluster publishes as ${cluster}: the last word is of the known one (uid ${kept.uid}). A rebuilt one publishes when the old one has been silent for half a minute`,
    );
  return { from: kept.uid, uid };
}

/** As it would be if the new one were known. @throws UserError where it is not heard */
async function changesBy(
  uid: string,
  cluster: string,
  configuration: Configuration,
  ports: LookPorts,
  waitMs: number,
): Promise<TargetView[]> {
  const clusters = configuration.clusters.map((each) => (each.name === cluster ? { ...each, uid } : each));
  return look(
    { ...configuration, clusters },
    ports,
    waitMs,
    (seen) => {
      const fold = seen.clusters.followers.get(cluster)?.fold;
      if (fold?.verified !== true)
        throw new UserError(
          `the cluster of uid ${uid} is not verified as ${cluster} (${fold?.reason ?? "not followed"}): its watcher must run and say synced`,
        );
      return seen.targets.works.map(({ target }) => ({
        target,
        error: seen.faults.get(target),
        changes: changesOn(target, cluster, seen),
      }));
    },
    ({ followers }) => followers.get(cluster)?.fold.verified === true,
  );
}

function changesOn(target: string, cluster: string, { clusters, actual }: Look): GroupChange[] {
  const desired = new Map(
    clusters
      .target(target)
      .sources.filter((source) => source.cluster === cluster)
      .map(({ group, members }) => [group, new Set(members.keys())]),
  );
  const held = heldOf(cluster, actual.get(target));
  return [...new Set([...desired.keys(), ...held.keys()])].toSorted().flatMap((group) => {
    const [wants, has] = [desired.get(group) ?? NOBODY, held.get(group) ?? NOBODY];
    const joins = [...wants].filter((address) => !has.has(address)).toSorted();
    const leaves = [...has].filter((address) => !wants.has(address)).toSorted();
    return joins.length + leaves.length > 0 ? [{ group, joins, leaves }] : [];
  });
}

const NOBODY: ReadonlySet<string> = new Set();

function heldOf(cluster: string, read: Actual | undefined): Map<string, Set<string>> {
  const held = new Map<string, Set<string>>();
  for (const { standing, origin, members } of read?.children.values() ?? []) {
    if (standing !== "ours" || origin?.cluster !== cluster) continue;
    held.set(origin.group, new Set([...(held.get(origin.group) ?? []), ...members]));
  }
  return held;
}

function shown(
  cluster: string,
  from: string,
  uid: string,
  targets: readonly TargetView[],
  hash: string,
): Answer {
  const lines = [`cluster ${cluster} was uid ${from}; uid ${uid} publishes now. To adopt it would change`];
  for (const { target, error, changes } of targets) {
    const words = changes.length === 0 ? "nothing" : `${changes.length} groups`;
    lines.push(`target ${target}: ${error === undefined ? words : `cannot be read: ${error}`}`);
    for (const { group, joins, leaves } of changes)
      lines.push(`  ${group}: ${joins.length} join, ${leaves.length} leave`);
  }
  lines.push(`to do it: podgate-pusher adopt-cluster ${cluster} --approve ${hash}`);
  const failed = targets.some(({ error }) => error !== undefined);
  return { text: lines.join("\n"), json: { cluster, from, uid, hash, targets }, code: failed ? 1 : 0 };
}

/** The running pusher keeps the uid once it has verified the cluster. */
async function taken(
  cluster: string,
  uid: string,
  { clock }: LookPorts,
  memory: Memory,
  waitMs: number,
): Promise<boolean> {
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  let isTaken = false;
  while (!isTaken && !late.signal.aborted) {
    const kept = await memory.load(keptClusterKey(cluster), keptClusterSchema, late.signal);
    isTaken = kept?.uid === uid;
    if (!isTaken) await clock.sleep(POLL_MS, late.signal).catch(() => undefined);
  }
  cancel();
  return isTaken;
}
