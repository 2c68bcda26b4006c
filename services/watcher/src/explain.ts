import { systemClock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";
import { kubeConfig } from "./kubernetes/cluster.ts";
import type { DefinitionFact } from "./kubernetes/group-definitions.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";
import type { Loser } from "./membership/conflicts.ts";
import { readOnce } from "./read-once.ts";

export interface Explanation {
  readonly pod: string;
  readonly found: boolean;
  readonly groups: readonly Verdict[];
  /** Definitions that are not in force, so they hold nobody. */
  readonly refused: readonly { readonly definition: string; readonly reason: string }[];
}

export interface Verdict {
  readonly group: string;
  readonly member: boolean;
  readonly reason: string;
}

/** The cluster as it was just read. */
export interface Explained {
  readonly membership: {
    explain(namespace: string, name: string, now: number): readonly Verdict[] | undefined;
    groups(): readonly string[];
  };
  definitions(): { fact: DefinitionFact; loser: Loser | undefined }[];
}

/**
 * Why a pod is, or is not, in each group: reads the cluster anew, as the watcher does, and publishes nothing.
 *
 * @param pod `namespace/name`
 * @param say what it waits for, while it waits
 * @throws UserError if the cluster cannot be read, or the pod is not named like that
 */
export async function explain(
  configuration: Configuration,
  pod: string,
  group: string | undefined,
  say: (line: string) => void,
): Promise<Explanation> {
  const { namespace, name } = podNamed(pod);
  const transport = new UndiciTransport(kubeConfig(configuration.kubernetes));
  const ports = { transport, clock: systemClock, random: systemRandom, say };
  try {
    return await readOnce(configuration, ports, (source) =>
      explanation(source, namespace, name, systemClock.monotonic(), group),
    );
  } finally {
    await transport.close();
  }
}

export function podNamed(pod: string): { namespace: string; name: string } {
  const [namespace, name, ...more] = pod.split("/");
  if (!namespace || !name || more.length > 0)
    throw new UserError(`"${pod}" names no pod: write namespace/name`);
  return { namespace, name };
}

/** @throws UserError if there is no such group */
export function explanation(
  source: Explained,
  namespace: string,
  name: string,
  now: number,
  group?: string,
): Explanation {
  const { membership } = source;
  const refused = source
    .definitions()
    .filter(({ fact, loser }) => fact.definition === undefined || loser !== undefined)
    .map(({ fact, loser }) => ({
      group: fact.definition?.group,
      definition: `${fact.kind} ${fact.namespace === undefined ? "" : `${fact.namespace}/`}${fact.name}`,
      reason: loser === undefined ? fact.faults.join("; ") : `claims the group of the older ${named(loser)}`,
    }));
  const known = membership.groups();
  if (group !== undefined && !known.includes(group) && !refused.some((each) => each.group === group))
    throw new UserError(
      `there is no group "${group}" in this cluster: it has ${known.toSorted().join(", ") || "none"}`,
    );
  const verdicts = membership.explain(namespace, name, now);
  const wanted = (each: string | undefined): boolean => group === undefined || each === group;
  return {
    pod: `${namespace}/${name}`,
    found: verdicts !== undefined,
    groups: (verdicts ?? []).filter((verdict) => wanted(verdict.group)),
    refused: refused
      .filter((each) => wanted(each.group))
      .map(({ definition, reason }) => ({ definition, reason })),
  };
}

const named = ({ winner: { source } }: Loser): string =>
  `${source.kind} ${source.namespace === undefined ? "" : `${source.namespace}/`}${source.name}`;

export function explanationAsText({ pod, found, groups, refused }: Explanation): string {
  const width = Math.max(0, ...groups.map(({ group }) => group.length));
  const lines = groups
    .toSorted((a, b) => Number(b.member) - Number(a.member))
    .map(
      ({ group, member, reason }) => `  ${member ? "in    " : "not in"}  ${group.padEnd(width)}  ${reason}`,
    );
  const nothing = found ? "there is no group in force" : "there is no such pod";
  return [
    `pod ${pod}${lines.length === 0 ? `: ${nothing}` : ""}`,
    ...lines,
    ...(refused.length === 0 ? [] : ["definitions that are not in force:"]),
    ...refused.map(({ definition, reason }) => `  ${definition}: ${reason}`),
    "",
  ].join("\n");
}
