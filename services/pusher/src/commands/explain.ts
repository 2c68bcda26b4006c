import { AddressError, canonicalAddress, familyOf } from "@podgate/shared/contract/address";
import type { Owner } from "@podgate/shared/contract/event";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import type { DesiredSource } from "../desired/desired.ts";
import type { Actual } from "../firewall/firewall.ts";
import type { GroupReport } from "../plan/plan.ts";
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
  /** Groups of the device that hold it although no group of a cluster should. */
  readonly alsoIn: readonly string[];
  readonly object: string | undefined;
  readonly groups: readonly GroupView[];
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
  const address = parsed(options.address);
  return look(configuration, ports, options.waitMs, ({ clusters, targets, views, faults, actual }) => {
    const now = ports.clock.monotonic();
    const found = targets.works.map((work): TargetView => {
      const { target, plan } = work;
      const error = faults.get(target);
      const read = actual.get(target);
      const reports = plan.report(now);
      const children = read === undefined ? [] : holders(read, address);
      const groups = clusters
        .target(target)
        .sources.filter((source) => concerns(source, address) || isHeldFor(read, source, children))
        .map((source) => groupView(source, address, read, children, reports));
      const known = new Set(groups.map((group) => `${group.cluster} ${group.group}`));
      const orphaned = children.filter((name) => {
        const origin = childNamed(read, name, address)?.origin;
        return origin === undefined || !known.has(`${origin.cluster} ${origin.group}`);
      });
      return {
        target,
        ...(error !== undefined && { error }),
        object: objectWords(read, ports.names.address(address)),
        alsoIn: orphaned,
        groups,
      };
    });
    return {
      text: textOf(address, found, views),
      json: { address, clusters: views, targets: found },
      code: 0,
    };
  });
}

function parsed(text: string): string {
  try {
    return canonicalAddress(text);
  } catch (error) {
    if (error instanceof AddressError) throw new UserError(`"${text}" is no address: ${error.message}`);
    throw error;
  }
}

const concerns = ({ members, refused, removals, held }: DesiredSource, address: string): boolean =>
  members.has(address) || refused.has(address) || removals.has(address) || held.has(address);

/** Children of ours on the device that hold the address. */
function holders(read: Actual, address: string): string[] {
  return [...read.children.values()]
    .filter(({ family, members }) => family === familyOf(address) && members.has(address))
    .map(({ name }) => name);
}

function childNamed(read: Actual | undefined, name: string, address: string) {
  return [...(read?.children.values() ?? [])].find(
    (child) => child.name === name && child.family === familyOf(address),
  );
}

function isHeldFor(read: Actual | undefined, source: DesiredSource, children: readonly string[]): boolean {
  return [...(read?.children.values() ?? [])].some(
    ({ name, origin }) =>
      children.includes(name) && origin?.cluster === source.cluster && origin.group === source.group,
  );
}

function groupView(
  source: DesiredSource,
  address: string,
  read: Actual | undefined,
  children: readonly string[],
  reports: readonly GroupReport[],
): GroupView {
  const { cluster, group, parent } = source;
  const member = source.members.get(address);
  const report = reports.find((each) => each.cluster === cluster && each.group === group);
  const removal = source.removals.get(address);
  const held = source.held.get(address);
  const parked = report?.refused.find((each) => each.address === address);
  const forbidden = source.refused.get(address);
  const notes = [
    forbidden !== undefined && `the configuration forbids it: ${forbidden}`,
    parked !== undefined && parked.reason !== forbidden && `refused: ${parked.reason}`,
    held !== undefined && `its removal is held: ${held.reason}`,
    removal !== undefined && `it left (${removal.cause}) at ${new Date(removal.observedAt).toISOString()}`,
    ...(report?.held ?? [])
      .filter(({ what }) => what === address)
      .map(({ reason, release }) => `held: ${reason}; ${release}`),
    !source.verified && "the cluster is not verified: nothing is removed for it",
  ];
  return {
    cluster,
    group,
    firewallGroup: parent,
    member: member !== undefined,
    owners: (member?.owners ?? []).map(ownerWords),
    ownerCount: member?.ownerCount ?? 0,
    onDevice: isHeldFor(read, source, children),
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

function textOf(address: string, targets: readonly TargetView[], views: readonly ClusterView[]): string {
  const lines = [address];
  for (const { cluster, verified, reason } of views) {
    lines.push(`cluster ${cluster}: ${verified ? "verified" : `not verified (${reason})`}`);
  }
  for (const { target, error, object, alsoIn, groups } of targets) {
    lines.push("", `target ${target}${error === undefined ? "" : `: cannot be read: ${error}`}`);
    if (object !== undefined) lines.push(`  address object ${object}`);
    if (groups.length === 0) lines.push("  in no group that is routed to it");
    for (const group of groups) {
      const owners = [...group.owners, ...(group.ownerCount > group.owners.length ? ["…"] : [])].join(", ");
      lines.push(
        `  group ${group.firewallGroup} (${group.group} of cluster ${group.cluster}): ${group.member ? `member because of ${owners || "an unnamed owner"}` : "no member"}; ${error === undefined ? (group.onDevice ? "on the device" : "not on the device") : "the device was not read"}`,
      );
      for (const note of group.notes) lines.push(`    ${note}`);
    }
    for (const child of alsoIn) lines.push(`  also in ${child}, which nothing configured here feeds`);
  }
  return lines.join("\n");
}
