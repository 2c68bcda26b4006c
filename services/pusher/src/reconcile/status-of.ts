import { type ClusterStatus, type GroupStatus, type TargetStatus } from "@podgate/shared/contract/status";
import { CONTRACT_VERSION } from "@podgate/shared/contract/version";
import type { GroupReport } from "../plan/plan.ts";

/** Most of each that a status holds (contract/status.ts). */
const REFUSED = 20;
const SHORT = 256;
const LONG = 1024;

export interface TargetStanding {
  readonly cluster: string;
  readonly target: string;
  readonly mode: TargetStatus["mode"];
  /** Of all clusters. */
  readonly reports: readonly GroupReport[];
  readonly appliedSequence: number;
  readonly lastSuccess: number;
  readonly error: string | undefined;
}

/** What one target holds of one cluster, for the cluster. @param now milliseconds since 1970 */
export function targetStatusOf(standing: TargetStanding, now: number): TargetStatus {
  const { cluster, target, mode, reports, appliedSequence, lastSuccess, error } = standing;
  const own = reports.filter((report) => report.cluster === cluster);
  return {
    v: CONTRACT_VERSION,
    cluster,
    target,
    mode,
    groups: Object.fromEntries(own.map((report) => [report.group, groupStatusOf(report, mode)])),
    appliedSequence,
    lastSuccess: Math.round(lastSuccess),
    ...(error !== undefined && { error: cut(error, LONG) }),
    updatedAt: Math.round(now),
  };
}

const MODES: Readonly<Record<string, { readonly reason: string; readonly message: string }>> = {
  observe: {
    reason: "Observed",
    message: "the target is in mode observe: what would change is only reported",
  },
  paused: { reason: "Paused", message: "the target is in mode paused: it is neither read nor written" },
};

function groupStatusOf(report: GroupReport, mode: TargetStatus["mode"]): GroupStatus {
  const { firewallGroup, desired, applied, inSync, refused } = report;
  const told = inSync ? undefined : (MODES[mode] ?? report);
  return {
    firewallGroup,
    desired,
    applied,
    inSync,
    ...(told?.reason !== undefined && { reason: told.reason }),
    ...(told?.message !== undefined && { message: cut(told.message, LONG) }),
    ...(refused.length > 0 && {
      refused: refused
        .slice(0, REFUSED)
        .map(({ address, reason }) => ({ address, reason: cut(reason, SHORT) })),
    }),
  };
}

export interface ClusterStanding {
  readonly cluster: string;
  readonly verified: boolean;
  readonly uid: string | undefined;
  readonly reason: string | undefined;
  readonly unrouted: ReadonlyMap<string, string>;
}

/** What the pusher makes of a cluster. @param now milliseconds since 1970 */
export function clusterStatusOf(
  { cluster, verified, uid, reason, unrouted }: ClusterStanding,
  now: number,
): ClusterStatus {
  return {
    v: CONTRACT_VERSION,
    cluster,
    reads: CONTRACT_VERSION,
    verified,
    ...(uid !== undefined && { uid }),
    ...(reason !== undefined && { reason: cut(reason, LONG) }),
    unrouted: Object.fromEntries([...unrouted].map(([group, why]) => [group, cut(why, SHORT)])),
    updatedAt: Math.round(now),
  };
}

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
