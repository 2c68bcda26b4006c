import { hash as digest } from "node:crypto";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import type { Actual } from "../firewall/firewall.ts";
import { shortHash } from "../plan/guards/held-set.ts";
import { forgetKey, proofKey, proofSchema, type Forget, type Proof } from "../reconcile/decision.ts";
import { Memory } from "../reconcile/memory.ts";
import type { Answer } from "./answer.ts";
import { connected } from "./bus-init.ts";
import { look, type LookPorts } from "./look.ts";

export interface ForgetOptions {
  readonly cluster: string;
  /** Hash of what was shown; undefined = show it. */
  readonly approve: string | undefined;
  readonly who: string;
  readonly waitMs: number;
}

/** A group of ours on a target that was made for the cluster. */
interface Found {
  readonly name: string;
  /** As on the bus. */
  readonly group: string;
  readonly addresses: readonly string[];
  /** Users' groups that hold it. */
  readonly parents: readonly string[];
}

interface TargetView {
  readonly target: string;
  readonly mode: Configuration["targets"][number]["mode"];
  readonly error: string | undefined;
  readonly groups: readonly Found[];
}

const POLL_MS = 250;

/**
 * Takes everything of a cluster that does not exist any more off every firewall: without a hash it shows what would go;
 * with the hash of that it decides it, and waits for the proof that the running pusher writes.
 *
 * @throws UserError where the cluster is heard, is not known, or the hash is of something else
 */
export async function forgetClusterCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: ForgetOptions,
): Promise<Answer> {
  const { cluster, approve, waitMs } = options;
  requireConfigured(configuration, cluster);
  await connected(ports.bus, ports.clock, waitMs);
  const targets = await whatWouldGo(configuration, ports, cluster);
  const hash = shortHash(digest("sha256", JSON.stringify([configuration.install, cluster, targets]), "hex"));
  if (approve === undefined) return shown(cluster, targets, hash);
  const unread = targets.filter(({ error }) => error !== undefined);
  if (unread.length > 0)
    throw new UserError(
      `forget-cluster: what would go from ${unread.map(({ target }) => target).join(", ")} is not known, because it cannot be read (${unread[0]?.error}): mend it, or take the target out of the configuration`,
    );
  if (approve !== hash)
    throw new UserError(
      `--approve ${approve}: what would go now is another set (${hash}): look at it with podgate-pusher forget-cluster ${cluster}`,
    );
  return decide(configuration, ports, options, hash);
}

/** @throws UserError */
export function requireConfigured({ clusters }: Configuration, cluster: string): void {
  if (clusters.some(({ name }) => name === cluster)) return;
  throw new UserError(
    `no cluster "${cluster}" is configured: there are ${clusters.map(({ name }) => name).join(", ")}`,
  );
}

async function whatWouldGo(
  configuration: Configuration,
  ports: LookPorts,
  cluster: string,
): Promise<TargetView[]> {
  const { clock } = ports;
  // Until it is known whether anybody speaks: a little longer than a silence.
  const silentMs = configuration.silentSeconds * 1000 + 2000;
  return look(
    configuration,
    ports,
    silentMs,
    ({ clusters, targets, faults, actual }) => {
      const fold = clusters.followers.get(cluster)?.fold;
      const now = clock.monotonic();
      if (fold?.verified === true || fold?.isHeard(now) === true)
        throw new UserError(
          fold.foreign === undefined
            ? `cluster ${cluster} is heard: to empty one that exists, run podgate-watcher drain in it; forget-cluster is for one that does not exist any more`
            : `another cluster (uid ${fold.foreign}) publishes as ${cluster}: if it was rebuilt, run podgate-pusher adopt-cluster ${cluster}; else give it another name first`,
        );
      if (fold?.isSilent(now) !== true)
        throw new UserError(
          `the stream of cluster ${cluster} could not be followed, so nobody knows whether it is silent: podgate-pusher check says what is missing`,
        );
      return targets.works.map(({ target, mode }) => ({
        target,
        mode,
        error: faults.get(target),
        groups: foundOf(cluster, actual.get(target)),
      }));
    },
    ({ followers }, now) => {
      const fold = followers.get(cluster)?.fold;
      return fold?.verified === true || fold?.isHeard(now) === true || fold?.isSilent(now) === true;
    },
  );
}

function foundOf(cluster: string, read: Actual | undefined): Found[] {
  if (read === undefined) return [];
  return [...read.children.values()]
    .flatMap(({ name, standing, origin, members, family }) => {
      if (standing !== "ours" || origin?.cluster !== cluster) return [];
      const parents = [...read.parents.values()]
        .filter((parent) => parent.family === family && parent.members.has(name))
        .map((parent) => parent.name);
      return [{ name, group: origin.group, addresses: [...members].toSorted(), parents: parents.toSorted() }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function shown(cluster: string, targets: readonly TargetView[], hash: string): Answer {
  const lines = [`cluster ${cluster} is silent. To forget it would take off`];
  for (const { target, mode, error, groups } of targets) {
    const count = groups.reduce((sum, { addresses }) => sum + addresses.length, 0);
    const words = groups.length === 0 ? "nothing" : `${groups.length} groups with ${count} addresses`;
    const note = mode === "enforce" ? "" : `, not before its mode is enforce (${mode} now)`;
    lines.push(`target ${target}: ${error === undefined ? words + note : `cannot be read: ${error}`}`);
    for (const { name, group, addresses, parents } of groups)
      lines.push(
        `  ${group}: ${addresses.length} addresses (${name}, in ${parents.join(", ") || "no group"})`,
      );
  }
  lines.push(`to do it: podgate-pusher forget-cluster ${cluster} --approve ${hash}`);
  const failed = targets.some(({ error }) => error !== undefined);
  return { text: lines.join("\n"), json: { cluster, hash, targets }, code: failed ? 1 : 0 };
}

async function decide(
  { targets }: Configuration,
  ports: LookPorts,
  { cluster, who, waitMs }: ForgetOptions,
  hash: string,
): Promise<Answer> {
  const { clock } = ports;
  const memory = new Memory(ports);
  const forget: Forget = { v: 1, who, when: Math.round(clock.now()), hash };
  if (!(await memory.save(forgetKey(cluster), forget)))
    throw new UserError("the decision could not be stored on the bus: nothing was changed; try again");
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  const proofs = new Map<string, Proof>();
  const expected = targets.filter(({ mode }) => mode !== "paused").map(({ name }) => name);
  while (!late.signal.aborted && expected.some((name) => !proofs.has(name))) {
    for (const name of expected) {
      const proof = await memory.load(proofKey(cluster, name), proofSchema, late.signal);
      if (proof?.hash === hash && proof.decidedAt === forget.when) proofs.set(name, proof);
    }
    await clock.sleep(POLL_MS, late.signal).catch(() => undefined);
  }
  cancel();
  const lines = targets.flatMap(({ name, mode }) => proofLines(name, mode, proofs.get(name)));
  const isClean = targets.every(({ name }) => proofs.get(name)?.remaining === 0);
  lines.push(
    isClean
      ? `nothing of cluster ${cluster} is left: take it out of the configuration`
      : `the pusher goes on with what is left; podgate-pusher forget-cluster ${cluster} shows it`,
  );
  const json = { cluster, hash, who, proofs: [...proofs.values()] };
  return { text: lines.join("\n"), json, code: isClean ? 0 : 1 };
}

function proofLines(target: string, mode: TargetView["mode"], proof: Proof | undefined): string[] {
  if (mode === "paused") return [`target ${target}: not checked, it is in mode paused`];
  if (proof === undefined) return [`target ${target}: not proven yet; does a pusher run, and reach it?`];
  const { readAt, checked, remaining, remains } = proof;
  const when = new Date(readAt).toISOString();
  const groups = checked.length === 0 ? "" : ` (${checked.length} groups were there: ${checked.join(", ")})`;
  if (remaining === 0) return [`target ${target}: read at ${when}, nothing is left${groups}`];
  return [
    `target ${target}: read at ${when}, ${remaining} groups are left`,
    ...remains.map(({ name, addresses, reason }) => `  ${name}: ${addresses} addresses: ${reason}`),
  ];
}
