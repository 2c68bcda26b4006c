import { AddressError, canonicalAddress, familyOf } from "@podgate/shared/contract/address";
import type { Owner } from "@podgate/shared/contract/event";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import type { DesiredSource } from "../desired/desired.ts";
import type { Actual } from "../firewall/firewall.ts";
import type { GroupReport } from "../plan/plan.ts";
import type { TargetPlan } from "../plan/target-plan.ts";
import type { Answer } from "./answer.ts";
import { look, type ClusterView, type LookPorts } from "./look.ts";

interface GroupView {
  readonly cluster: string;
  readonly group: string;
  readonly firewallGroup: string;
  readonly member: boolean;
  /** `Pod shop/web-1`, at most 5. */
  readonly owners: readonly string[];
  readonly ownerCount: number;
  readonly onDevice: boolean;
  readonly notes: readonly string[];
}

interface TargetView {
  readonly target: string;
  readonly error?: string;
  readonly object: string | undefined;
  readonly groups: readonly GroupView[];
  /** Children of ours on the device that hold it, but that nothing configured feeds. */
  readonly alsoIn: readonly string[];
}

/** A group of a cluster that holds the address and goes nowhere, or not everywhere. */
interface Unrouted {
  readonly cluster: string;
  readonly group: string;
  readonly reason: string;
}

/**
 * Why an address is, or is not, in the groups of every target.
 * @throws UserError for what is no address
 */
export async function explainCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: { readonly address: string; readonly waitMs: number },
): Promise<Answer> {
  const address = addressNamed(options.address);
  return look(configuration, ports, options.waitMs, ({ clusters, targets, views, faults, actual }) => {
    const now = ports.clock.monotonic();
    const found = targets.works.map(({ target, plan }): TargetView => {
      const error = faults.get(target);
      const read = actual.get(target);
      const groups = clusters.target(target).sources.flatMap((source) => {
        const standing = plan.explain(source.cluster, source.group, address, now);
        const report = plan
          .report(now)
          .find(({ cluster, group }) => cluster === source.cluster && group === source.group);
        return standing.onDevice || concerns(source, address)
          ? [groupView(source, address, standing, report)]
          : [];
      });
      return {
        target,
        ...(error !== undefined && { error }),
        object: objectWords(read, ports.names.address(address)),
        groups,
        alsoIn: read === undefined ? [] : strayChildren(read, address, groups),
      };
    });
    const unrouted = [...clusters.followers].flatMap(([cluster, { fold }]) =>
      [...clusters.unrouted(cluster)].flatMap(([group, reason]): Unrouted[] =>
        fold.groups.get(group)?.members.has(address) === true ? [{ cluster, group, reason }] : [],
      ),
    );
    const json = { address, clusters: views, targets: found, unrouted };
    return { text: textOf(json), json, code: 0 };
  });
}

/** In its canonical form. @throws UserError */
export function addressNamed(text: string): string {
  try {
    return canonicalAddress(text);
  } catch (error) {
    if (error instanceof AddressError) throw new UserError(`"${text}" is no address: ${error.message}`);
    throw error;
  }
}

const concerns = ({ members, refused, removals, held }: DesiredSource, address: string): boolean =>
  members.has(address) || refused.has(address) || removals.has(address) || held.has(address);

function strayChildren(read: Actual, address: string, groups: readonly GroupView[]): string[] {
  const family = familyOf(address);
  return [...read.children.values()]
    .filter((child) => child.family === family && child.members.has(address))
    .filter(
      ({ origin }) =>
        origin === undefined ||
        !groups.some(({ cluster, group }) => cluster === origin.cluster && group === origin.group),
    )
    .map(({ name }) => name);
}

function groupView(
  source: DesiredSource,
  address: string,
  { onDevice, refused }: ReturnType<TargetPlan["explain"]>,
  report: GroupReport | undefined,
): GroupView {
  const { cluster, group, parent } = source;
  const member = source.members.get(address);
  const removal = source.removals.get(address);
  const notes = [
    refused !== undefined && `refused: ${refused}`,
    removal !== undefined && `it left (${removal.cause}) at ${new Date(removal.observedAt).toISOString()}`,
    ...(report?.held ?? [])
      .filter(({ what }) => what === address)
      .map(({ reason, release }) => `its removal is held: ${reason}; until ${release}`),
    !source.verified && "the cluster is not verified: nothing is removed for it",
  ];
  return {
    cluster,
    group,
    firewallGroup: parent,
    member: member !== undefined,
    owners: (member?.owners ?? []).map(ownerWords),
    ownerCount: member?.ownerCount ?? 0,
    onDevice,
    notes: notes.filter((note) => note !== false),
  };
}

function ownerWords({ kind, namespace, name }: Owner): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function objectWords(read: Actual | undefined, name: string): string | undefined {
  const object = read?.addresses.get(name);
  if (object === undefined) return undefined;
  const { standing, found } = object;
  return `${name}: ${standing}${found === undefined ? "" : `, holds ${found}`}`;
}

interface Explanation {
  readonly address: string;
  readonly clusters: readonly ClusterView[];
  readonly targets: readonly TargetView[];
  readonly unrouted: readonly Unrouted[];
}

function textOf({ address, clusters, targets, unrouted }: Explanation): string {
  const lines = [address];
  for (const { cluster, verified, reason } of clusters) {
    lines.push(`cluster ${cluster}: ${verified ? "verified" : `not verified (${reason})`}`);
  }
  for (const { cluster, group, reason } of unrouted) {
    lines.push(`group ${group} of cluster ${cluster} holds it, but: ${reason}`);
  }
  for (const { target, error, object, alsoIn, groups } of targets) {
    lines.push("", `target ${target}${error === undefined ? "" : `: cannot be read: ${error}`}`);
    if (object !== undefined) lines.push(`  address object ${object}`);
    if (groups.length === 0) lines.push("  in no group that is routed to it");
    for (const group of groups) lines.push(...groupLines(group, error === undefined));
    for (const child of alsoIn) lines.push(`  also in ${child}, which nothing configured feeds`);
  }
  return lines.join("\n");
}

function groupLines(view: GroupView, wasRead: boolean): string[] {
  const { firewallGroup, group, cluster, member, owners, ownerCount, onDevice, notes } = view;
  const named = [...owners, ...(ownerCount > owners.length ? ["…"] : [])].join(", ");
  const why = member ? `member because of ${named === "" ? "an unnamed owner" : named}` : "no member";
  const where = wasRead ? (onDevice ? "on the device" : "not on the device") : "the device was not read";
  return [
    `  group ${firewallGroup} (${group} of cluster ${cluster}): ${why}; ${where}`,
    ...notes.map((note) => `    ${note}`),
  ];
}
