import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Row } from "@podgate/shared/runtime/check-row";
import type { Configuration } from "../configuration.ts";
import { Routing } from "../desired/routing.ts";
import type { ActualChild } from "../firewall/firewall.ts";
import { jsonOf } from "../reconcile/json-of.ts";
import {
  TARGET_RECORDS,
  targetRecordKey,
  targetRecordSchema,
  type TargetRecord,
} from "../reconcile/target-record.ts";
import type { PusherNames } from "../target-firewall.ts";
import { someOf } from "./some-of.ts";

/** An empty bucket is told by nothing. */
const LISTEN_MS = 500;

/** Targets that were taken out of the configuration while something of ours was on them. */
export async function retiredTargets(
  { targets }: Configuration,
  ports: { readonly bus: Bus; readonly clock: Clock },
): Promise<Row[]> {
  const records = await recordsOn(ports);
  const isConfigured = (record: TargetRecord): boolean =>
    targets.some((target) => targetRecordKey(target) === targetRecordKey(record));
  // The same unit may be configured by another URL now.
  const units = new Set(records.filter(isConfigured).map(unitOf));
  return records
    .filter((record) => !record.isEmpty && !isConfigured(record) && !units.has(unitOf(record)))
    .map((record): Row => {
      const { target, url, vdom, serial, at } = record;
      return {
        check: "retired target",
        subject: target,
        result: "warn",
        found: `not configured any more, but ${url}, VDOM ${vdom} (${serial}) had groups or addresses with our mark on ${new Date(at).toISOString()}, and nobody writes it now`,
        fix: `configure it again with mode: paused, run podgate-pusher clean ${target}, then take it out; where the device is gone for good: nats kv del ${PUSHER_BUCKET} ${targetRecordKey(record)}`,
      };
    });
}

const unitOf = ({ serial, vdom }: TargetRecord): string => `${serial} ${vdom}`;

async function recordsOn({
  bus,
  clock,
}: {
  readonly bus: Bus;
  readonly clock: Clock;
}): Promise<TargetRecord[]> {
  const records = new Map<string, TargetRecord>();
  const end = new AbortController();
  const cancel = clock.timer(LISTEN_MS, () => end.abort());
  try {
    const bucket = await bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
    for await (const { key, value } of bucket.watch(TARGET_RECORDS, end.signal)) {
      const record = value === undefined ? undefined : targetRecordSchema.safeParse(jsonOf(value)).data;
      if (record === undefined) records.delete(key);
      else records.set(key, record);
    }
  } catch {
    // No bucket, or no right on it: another row tells.
  } finally {
    cancel();
  }
  return [...records.values()];
}

/** Groups of ours on a configured target to which nothing leads there any more; undefined = there are none. */
export function retiredGroups(
  target: string,
  children: Iterable<ActualChild>,
  configuration: Configuration,
  names: PusherNames,
): Row | undefined {
  const origins = new Map(
    [...children].flatMap(({ standing, origin }) =>
      standing === "ours" && origin !== undefined ? [[`${origin.cluster} ${origin.group}`, origin]] : [],
    ),
  );
  const { routed } = new Routing(configuration, names).route(origins.values());
  for (const each of routed) if (each.target === target) origins.delete(`${each.cluster} ${each.group}`);
  if (origins.size === 0) return undefined;
  const words = [...origins.values()]
    .map(({ cluster, group }) => `${group} of cluster ${cluster}`)
    .toSorted();
  return {
    check: "retired groups",
    subject: target,
    result: "warn",
    found: `${someOf(words)}: nothing in the configuration leads here`,
    fix: "restore the route or the cluster; else podgate-pusher plan shows what waits for an approval before it goes",
  };
}
