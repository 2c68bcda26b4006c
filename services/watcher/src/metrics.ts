import type { Metrics } from "@podgate/shared/runtime/metrics";
import { REMOVE_CAUSES } from "@podgate/shared/contract/event";
import { PHASES, type Phase } from "@podgate/shared/contract/state";
import type { KubernetesErrorKind } from "./kubernetes/transport.ts";
import type { Change } from "./membership/change.ts";
import { NOT_COUNTING, type NotCounting } from "./membership/counting.ts";

const RESOURCES = ["pods", "nodes", "namespaces", "clusteraddressgroups", "addressgroups"];
const KINDS: readonly KubernetesErrorKind[] = [
  "unreachable",
  "aborted",
  "unauthorized",
  "forbidden",
  "not-found",
  "conflict",
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
  "old-pusher",
  "unknown",
  "no-stream",
  "unfit-stream",
  "full",
  "too-large",
  "forbidden",
  "interrupted",
  "other",
];

/** Seconds from an event of the API server to the acknowledgement of the bus. */
const PUBLISH_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** How one resource is followed, as the source says it; counts are since the source began. */
export interface Following {
  readonly resource: string;
  readonly fresh: boolean;
  readonly listed: number;
  readonly lists: number;
  readonly watches: number;
}

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
  const latency = metrics.histogram({
    name: "watcher_publish_seconds",
    help: "from an event of the API server to its acknowledgement by the bus",
    labels: { op: ["add", "remove"] },
    buckets: PUBLISH_BUCKETS,
  });
  const fresh = metrics.gauge({
    name: "watcher_fresh",
    help: "1 while the resource was listed and its watch is alive",
    labels: { resource: RESOURCES },
  });
  const objects = metrics.gauge({
    name: "watcher_objects",
    help: "objects of the resource as last seen",
    labels: { resource: RESOURCES },
  });
  const lists = metrics.counter({
    name: "watcher_lists_total",
    help: "whole lists read",
    labels: { resource: RESOURCES },
  });
  const watches = metrics.counter({
    name: "watcher_watches_total",
    help: "watches opened; one ends and is resumed about every 40 s",
    labels: { resource: RESOURCES },
  });
  const idle = metrics.gauge({
    name: "watcher_pods_not_counting",
    help: "pods whose own addresses are in no group, by reason",
    labels: { reason: NOT_COUNTING },
  });
  const before = new Map<string, Following>();
  const leader = metrics.gauge({ name: "watcher_leader", help: "1 while this replica leads" });
  return {
    published(change: Change, seconds: number): void {
      latency(seconds, { op: change.op });
      if (change.op === "add") added();
      else removed({ cause: change.cause });
    },
    state(phase: Phase, count: number, waiting: number): void {
      states();
      for (const each of PHASES) phases(each === phase ? 1 : 0, { phase: each });
      members(count);
      pending(waiting);
    },
    /** A new source begins to count anew. */
    following(now: readonly Following[]): void {
      for (const each of now) {
        const { resource } = each;
        const last = before.get(resource);
        const since =
          last !== undefined && last.lists <= each.lists && last.watches <= each.watches ? last : undefined;
        fresh(each.fresh ? 1 : 0, { resource });
        objects(each.listed, { resource });
        lists({ resource }, each.lists - (since?.lists ?? 0));
        watches({ resource }, each.watches - (since?.watches ?? 0));
        before.set(resource, each);
      }
    },
    notCounting(counts: ReadonlyMap<NotCounting, number>): void {
      for (const reason of NOT_COUNTING) idle(counts.get(reason) ?? 0, { reason });
    },
    /** One that does not lead says nothing and sees nothing: what it last said must not stand. */
    leads(leads: boolean): void {
      leader(leads ? 1 : 0);
      if (leads) return;
      for (const phase of PHASES) phases(0, { phase });
      for (const resource of RESOURCES) {
        fresh(0, { resource });
        objects(0, { resource });
      }
      for (const reason of NOT_COUNTING) idle(0, { reason });
      members(0);
      pending(0);
    },
    trouble: (kind: string): void => troubles({ kind: TROUBLES.includes(kind) ? kind : "other" }),
    kubernetesError: (resource: string, kind: KubernetesErrorKind): void => errors({ resource, kind }),
    rejectedAddress: (): void => rejected(),
  };
}
