import type { Metrics } from "@podgate/shared/runtime/metrics";
import { GUARDS } from "./plan/guards/held-set.ts";
import type { CallKind, CallResult, LeaseTurn, Observe } from "./reconcile/observe.ts";

export interface MetricSeries {
  readonly clusters: readonly string[];
  readonly targets: readonly string[];
  readonly devices: readonly string[];
}

const OPS = ["add", "remove"] as const;
const KINDS: readonly CallKind[] = [
  "create-address",
  "repair-address",
  "delete-address",
  "create-child",
  "put-child",
  "delete-child",
  "create-parent",
  "attach-child",
  "detach-child",
  "delete-parent",
  "identity",
  "limits",
  "read",
];
const TURNS: readonly LeaseTurn[] = ["acquired", "released", "lost"];
const RESULTS: readonly CallResult[] = ["done", "unchanged", "retry", "refused"];

/** From one firewall round trip to a lockout. */
const EXPOSURE = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const CALL = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every metric of the pusher, born at zero. */
export function pusherMetrics(metrics: Metrics, { clusters, targets, devices }: MetricSeries): Observe {
  const cluster = { cluster: clusters };
  const target = { target: targets };
  const exposure = metrics.histogram({
    name: "exposure_seconds",
    help: "from a change seen in Kubernetes to the firewall's acknowledgement, by add and remove",
    labels: { op: OPS },
    buckets: EXPOSURE,
  });
  const calls = metrics.counter({
    name: "pusher_firewall_calls_total",
    help: "calls to a firewall by target, kind and result; unchanged = it was so already",
    labels: { ...target, kind: KINDS, result: RESULTS },
  });
  const seconds = metrics.histogram({
    name: "pusher_firewall_call_seconds",
    help: "how long a call to a firewall took, with the adapter's own reads",
    labels: target,
    buckets: CALL,
  });
  const drift = metrics.counter({
    name: "pusher_drift_total",
    help: "differences found that somebody else made, by target",
    labels: target,
  });
  const gauges = {
    desired: gauge("pusher_members_desired", "addresses that a target should hold"),
    applied: gauge("pusher_members_applied", "of those, the ones it was read or acknowledged to hold"),
    pending: gauge("pusher_pending_steps", "steps that wait for a target"),
    parked: gauge("pusher_parked", "addresses and groups that a target refused and that wait"),
    orphans: gauge("pusher_orphans", "child groups of ours that nothing desires"),
    collisions: gauge("pusher_collisions", "objects named like ours that do not carry our mark"),
    outOfSync: gauge("pusher_groups_out_of_sync", "groups that are not as desired"),
  };
  const held = metrics.gauge({
    name: "pusher_held",
    help: "steps that a guard holds back, by target and guard (docs/guards.md)",
    labels: { ...target, guard: GUARDS },
  });
  const verified = metrics.gauge({
    name: "pusher_cluster_verified",
    help: "1 while removals of the cluster may act",
    labels: cluster,
  });
  const resets = metrics.counter({
    name: "pusher_fold_resets_total",
    help: "times a cluster's stream was read anew",
    labels: cluster,
  });
  const unreadable = metrics.counter({
    name: "pusher_unreadable_messages_total",
    help: "messages of a cluster that could not be read",
    labels: cluster,
  });
  const pokes = metrics.counter({
    name: "pusher_pokes_total",
    help: "times a cluster's watcher was asked for a state message",
    labels: cluster,
  });
  const blocked = metrics.gauge({
    name: "pusher_device_blocked",
    help: "1 while a device is left alone because it refused the token",
    labels: { device: devices },
  });

  const leased = metrics.gauge({
    name: "pusher_device_lease",
    help: "1 while this pusher holds a device's lease, and so writes it",
    labels: { device: devices },
  });
  const turns = metrics.counter({
    name: "pusher_lease_transitions_total",
    help: "times a device's lease was acquired, released in order, or lost",
    labels: { device: devices, to: TURNS },
  });
  const valid = metrics.gauge({
    name: "pusher_configuration_valid",
    help: "0 while the configuration's file has faults, and an older one is in force",
  });
  const loaded = metrics.gauge({
    name: "pusher_configuration_loaded_timestamp_seconds",
    help: "since when the configuration is in force, in seconds since 1970",
  });
  const replicas = metrics.gauge({
    name: "pusher_replicas",
    help: "pushers that share the devices, this one included",
  });

  function gauge(name: string, help: string): (value: number, labels: { target: string }) => void {
    return metrics.gauge({ name, help: `${help}, by target`, labels: target });
  }

  return {
    exposed: (op, ms) => exposure(Math.max(0, ms) / 1000, { op }),
    called(name, kind, result, ms) {
      calls({ target: name, kind, result });
      seconds(ms / 1000, { target: name });
    },
    drifted: (name, count) => drift({ target: name }, count),
    target(name, numbers) {
      for (const [key, set] of Object.entries(gauges)) {
        set(numbers[key as keyof typeof gauges], { target: name });
      }
      for (const guard of GUARDS) held(numbers.held[guard], { target: name, guard });
    },
    verified: (name, value) => verified(value ? 1 : 0, { cluster: name }),
    reset: (name) => resets({ cluster: name }),
    unreadable: (name) => unreadable({ cluster: name }),
    poked: (name) => pokes({ cluster: name }),
    blocked: (device, value) => blocked(value ? 1 : 0, { device }),
    leased(device, to) {
      leased(to === "acquired" ? 1 : 0, { device });
      turns({ device, to });
    },
    replicas: (count) => replicas(count),
    configured: (at) => {
      loaded(at / 1000);
      valid(1);
    },
    valid: (is) => valid(is ? 1 : 0),
  };
}
