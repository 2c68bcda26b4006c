import type { Bus } from "@podgate/shared/bus/bus";
import { buckets, streamFor, TOPOLOGY_DEFAULTS } from "@podgate/shared/bus/topology";
import type { Clock } from "@podgate/shared/runtime/clock";
import { exitCode, failed, ok, rowsAsData, rowsAsText, type Row } from "@podgate/shared/runtime/check-row";
import { describeError } from "@podgate/shared/runtime/errors";
import { deviceOf, type Configuration, type TargetConfiguration } from "../configuration.ts";
import { Lockout } from "../reconcile/lockout.ts";
import type { Memory } from "../reconcile/memory.ts";
import type { PusherNames, TargetTransport } from "../target-firewall.ts";
import type { Answer } from "./answer.ts";
import { checkDevice } from "./check-device.ts";
import { retiredTargets } from "./check-retired.ts";

export interface CheckPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly memory: Pick<Memory, "load" | "save">;
  readonly names: PusherNames;
  readonly makeTransport: (target: TargetConfiguration) => TargetTransport;
  /** What the connection to NATS last complained of. */
  readonly busTrouble?: () => string | undefined;
}

/** Everything that must be right before a pusher can work, in one table. Changes nothing. */
export async function checkCommand(
  configuration: Configuration,
  ports: CheckPorts,
  options: { readonly waitMs: number },
): Promise<Answer> {
  const ofBus = checkBus(configuration, ports, options.waitMs);
  const ofDevices = [...Map.groupBy(configuration.targets, ({ url }) => deviceOf(url))].map(
    async ([device, targets]) => {
      await ofBus;
      return checkTargets(device, targets, configuration, ports, options.waitMs);
    },
  );
  const { clusters, targets, routes } = configuration;
  const rows: Row[] = [
    ok("configuration", `${clusters.length} clusters, ${targets.length} targets, ${routes.length} routes`),
    ...(await ofBus),
    ...(ports.bus.connected ? await retiredTargets(configuration, ports) : []),
    ...(await Promise.all(ofDevices)).flat(),
  ];
  return { text: rowsAsText(rows), json: rowsAsData(rows), code: exitCode(rows) };
}

async function checkBus(
  { clusters, bus: { replicas } }: Configuration,
  { bus, clock, busTrouble }: CheckPorts,
  waitMs: number,
): Promise<Row[]> {
  const until = clock.monotonic() + waitMs;
  while (!bus.connected && clock.monotonic() < until) await clock.sleep(50);
  if (!bus.connected) {
    return [
      failed(
        "NATS",
        busTrouble?.() ?? `not reached within ${waitMs / 1000} s`,
        "check nats.servers, the user's credentials and nats.tls.caFile",
      ),
    ];
  }
  const rows: Row[] = [ok("NATS", "connected")];
  for (const { name } of clusters) {
    const stream = streamFor(name, { ...TOPOLOGY_DEFAULTS, replicas }).name;
    rows.push(await presence("stream", stream, async () => bus.streamInfo(stream)));
  }
  for (const { name } of buckets()) {
    // A bucket is a stream of this name.
    rows.push(await presence("bucket", name, async () => bus.streamInfo(`KV_${name}`), false));
  }
  return rows;
}

async function presence(
  check: string,
  subject: string,
  ask: () => Promise<{ readonly differences: readonly string[] } | undefined>,
  compares = true,
): Promise<Row> {
  try {
    const info = await ask();
    if (info === undefined) {
      const fix = "podgate-pusher bus init makes it, and so does a pusher that runs";
      return { check, subject, result: "warn", found: "does not exist yet", fix };
    }
    if (compares && info.differences.length > 0) {
      const found = info.differences.join("; ");
      return {
        check,
        subject,
        result: "failed",
        found,
        fix: "set these fields with the nats command line, or delete it: podgate-pusher bus init makes it anew",
      };
    }
    return { check, subject, result: "ok", found: "exists" };
  } catch (error) {
    const fix = "give the pusher's NATS user the rights on it";
    return { check, subject, result: "failed", found: describeError(error), fix };
  }
}

/** Targets of one device in turn; none is asked when the device refused the token. */
async function checkTargets(
  device: string,
  targets: readonly TargetConfiguration[],
  configuration: Configuration,
  { bus, clock, memory, names, makeTransport }: CheckPorts,
  waitMs: number,
): Promise<Row[]> {
  const lockout = new Lockout({ device, memory, clock });
  // Without the bucket there was no pusher yet that could have been refused.
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  if (bus.connected) await lockout.load(late.signal);
  cancel();
  const rows: Row[] = [];
  for (const target of targets) {
    if (lockout.left(clock.monotonic()) > 0) {
      rows.push({
        check: "token",
        subject: target.name,
        result: "failed",
        found: `the device refused the token: ${lockout.reason}`,
        fix: `put a right token into ${target.tokenFile}; ${lockout.words}`,
      });
      continue;
    }
    const transport = makeTransport(target);
    try {
      const found = await checkDevice(target, { transport, clock, names, configuration });
      rows.push(...found.rows);
      if (found.refused !== undefined && bus.connected) await lockout.refused(found.refused);
    } finally {
      transport.close();
    }
  }
  return rows;
}
