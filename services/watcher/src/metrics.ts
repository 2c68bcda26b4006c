import type { Metrics } from "@podgate/shared/runtime/metrics";
import { REMOVE_CAUSES } from "@podgate/shared/contract/event";
import { PHASES, type Phase } from "@podgate/shared/contract/state";
import type { KubernetesErrorKind } from "./kubernetes/transport.ts";
import type { Change } from "./membership/change.ts";

const RESOURCES = ["pods", "nodes", "namespaces", "clusteraddressgroups", "addressgroups"];
const KINDS: readonly KubernetesErrorKind[] = [
  "unreachable",
  "unauthorized",
  "forbidden",
  "not-found",
  "gone",
  "invalid",
  "server",
  "silent",
  "parse",
  "stale",
];
const TROUBLES = [
  "fenced",
  "session",
  "other-cluster",
  "unknown",
  "no-stream",
  "full",
  "too-large",
  "forbidden",
  "interrupted",
  "other",
];

/** Every metric of the watcher, born at zero. */
export function watcherMetrics(metrics: Metrics) {
  const added = metrics.counter({ name: "watcher_adds_total", help: "events that added an address" });
  const removed = metrics.counter({
    name: "watcher_removes_total",
    help: "events that removed an address, by cause",
    labels: { cause: REMOVE_CAUSES },
  });
  const errors = metrics.counter({
    name: "watcher_kubernetes_errors_total",
    help: "failed lists and watches, by resource and kind",
    labels: { resource: RESOURCES, kind: KINDS },
  });
  const troubles = metrics.counter({
    name: "watcher_bus_troubles_total",
    help: "what kept the watcher from publishing, by kind",
    labels: { kind: TROUBLES },
  });
  const rejected = metrics.counter({
    name: "watcher_unusable_addresses_total",
    help: "pod addresses that were no usable address",
  });
  const states = metrics.counter({ name: "watcher_states_total", help: "state messages published" });
  const phases = metrics.gauge({
    name: "watcher_phase",
    help: "1 for the phase the watcher says it is in",
    labels: { phase: PHASES },
  });
  const members = metrics.gauge({ name: "watcher_members", help: "addresses in all groups of the cluster" });
  const pending = metrics.gauge({ name: "watcher_pending_changes", help: "changes that wait for the bus" });
  const leader = metrics.gauge({ name: "watcher_leader", help: "1 while this replica leads" });
  return {
    published(change: Change): void {
      if (change.op === "add") added();
      else removed({ cause: change.cause });
    },
    state(phase: Phase, count: number, waiting: number): void {
      states();
      for (const each of PHASES) phases(each === phase ? 1 : 0, { phase: each });
      members(count);
      pending(waiting);
    },
    leads: (leads: boolean): void => leader(leads ? 1 : 0),
    trouble: (kind: string): void => troubles({ kind: TROUBLES.includes(kind) ? kind : "other" }),
    kubernetesError: (resource: string, kind: KubernetesErrorKind): void => errors({ resource, kind }),
    rejectedAddress: (): void => rejected(),
  };
}
