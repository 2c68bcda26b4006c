import { own } from "@podgate/shared/contract/own";
import type { ClusterStatus, GroupStatus, TargetStatus } from "@podgate/shared/contract/status";
import type { AskedPhase } from "../kubernetes/asked-phase.ts";
import type { DefinitionFact } from "../kubernetes/group-definitions.ts";
import type { Loser } from "../membership/conflicts.ts";

export interface Condition {
  readonly type: "Accepted" | "InSync";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export interface GroupStatusView {
  readonly observedGeneration: number;
  readonly group?: string;
  readonly members: number;
  readonly targets: readonly {
    readonly name: string;
    readonly firewallGroup: string;
    readonly desired: number;
    readonly applied: number;
    readonly inSync: boolean;
    readonly message?: string;
  }[];
  readonly sharedNamespaces: readonly string[];
  readonly conditions: readonly Condition[];
}

/** What the pusher says of the cluster; undefined = it never spoke, `silent` = not for long. */
export type PusherWord = ClusterStatus | "silent" | undefined;

/** What a group definition's status should say. Pure: transition times are the writer's. */
export function statusOf(
  fact: DefinitionFact,
  loser: Loser | undefined,
  members: number,
  sharedNamespaces: readonly string[],
  targets: readonly TargetStatus[],
  pusher: PusherWord,
  asked: AskedPhase = "synced",
): GroupStatusView {
  const group = fact.definition?.group;
  const observedGeneration = fact.generation;
  const accepted = acceptance(fact, loser);
  const entries = targets.flatMap((target) => {
    const entry = group === undefined || accepted.status !== "True" ? undefined : own(target.groups, group);
    if (entry === undefined) return [];
    const { firewallGroup, desired, applied, inSync } = entry;
    // Why nothing goes to the target comes before what would go.
    const why = [target.error, entry.message ?? refusals(entry)].filter((text) => text !== undefined);
    const message = inSync || why.length === 0 ? undefined : why.join("; ");
    return [
      {
        name: target.target,
        firewallGroup,
        desired,
        applied,
        inSync,
        ...(message !== undefined && { message }),
      },
    ];
  });
  const failing = targets.filter(
    ({ error, target }) => error !== undefined && entries.some(({ name }) => name === target),
  );
  const sync =
    accepted.status === "True" && asked !== "synced"
      ? ASKED[asked]
      : synchronization(group, accepted, entries, failing, pusher);
  return {
    observedGeneration,
    ...(group !== undefined && { group }),
    members: accepted.status === "True" ? members : 0,
    targets: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    sharedNamespaces,
    conditions: [
      { type: "Accepted", observedGeneration, ...accepted },
      { type: "InSync", observedGeneration, ...sync },
    ],
  };
}

function refusals({ refused = [] }: GroupStatus): string | undefined {
  if (refused.length === 0) return undefined;
  return `refused: ${refused.map(({ address, reason }) => `${address} (${reason})`).join(", ")}`.slice(
    0,
    1024,
  );
}

type Verdict = Pick<Condition, "status" | "reason" | "message">;

function acceptance(fact: DefinitionFact, loser: Loser | undefined): Verdict {
  if (fact.definition === undefined)
    return { status: "False", reason: "Invalid", message: fact.faults.join("; ") };
  if (loser !== undefined) {
    const { kind, namespace, name } = loser.winner.source;
    const other = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    return {
      status: "False",
      reason: "Conflict",
      message: `the group ${fact.definition.group} is claimed by the older ${other}`,
    };
  }
  return { status: "True", reason: "Accepted", message: "the definition is in force" };
}

const ASKED: Readonly<Record<Exclude<AskedPhase, "synced">, Verdict>> = {
  maintenance: {
    status: "Unknown",
    reason: "Maintenance",
    message: "the cluster is in maintenance: firewalls keep what they hold until podgate-watcher resume",
  },
  draining: {
    status: "False",
    reason: "Draining",
    message: "the cluster is drained: no firewall holds its members until podgate-watcher resume",
  },
};

function synchronization(
  group: string | undefined,
  accepted: Verdict,
  entries: GroupStatusView["targets"],
  failing: readonly TargetStatus[],
  pusher: PusherWord,
): Verdict {
  if (accepted.status !== "True" || group === undefined) return { ...accepted, status: "False" };
  if (pusher === undefined)
    return { status: "Unknown", reason: "NoPusher", message: "no pusher has reported on this cluster yet" };
  if (pusher === "silent")
    return {
      status: "Unknown",
      reason: "PusherSilent",
      message: "the pusher has not reported for two minutes: nobody knows what the targets hold now",
    };
  const unrouted = own(pusher.unrouted, group);
  if (unrouted !== undefined) return { status: "False", reason: "NotRouted", message: unrouted };
  if (entries.length === 0)
    return { status: "Unknown", reason: "NotReported", message: "no target has reported on this group yet" };
  const late = entries.filter(({ inSync }) => !inSync);
  if (late.length === 0 && failing.length > 0)
    return {
      status: "Unknown",
      reason: "TargetFails",
      message:
        `in step when last seen, but ${failing.map(({ target, error }) => `${target}: ${error}`).join("; ")}`.slice(
          0,
          1024,
        ),
    };
  if (late.length === 0 && !pusher.verified)
    return {
      status: "Unknown",
      reason: "NotVerified",
      message: `members are kept, and none is removed, until the cluster is verified: ${pusher.reason ?? "no reason given"}`,
    };
  if (late.length === 0)
    return {
      status: "True",
      reason: "InSync",
      message: `${entries.length} target(s) hold the group's members`,
    };
  const words = late.map(
    ({ name, applied, desired, message }) => `${name}: ${message ?? `${applied} of ${desired} members`}`,
  );
  return { status: "False", reason: "Behind", message: words.join("; ").slice(0, 1024) };
}
