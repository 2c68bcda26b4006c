import type { Bus } from "@podgate/shared/bus/bus";
import { buckets, streamFor } from "@podgate/shared/bus/topology";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Configuration } from "../configuration.ts";
import { makeTopology } from "../reconcile/bus-topology.ts";
import type { Answer } from "./answer.ts";

/** Makes the streams and buckets that are missing, and says of each whether it is as it must be. */
export async function busInitCommand(
  configuration: Configuration,
  { bus, clock }: { readonly bus: Bus; readonly clock: Clock },
  options: { readonly waitMs: number },
): Promise<Answer> {
  await connected(bus, clock, options.waitMs);
  const faults = await makeTopology(bus, configuration);
  const names = [
    ...configuration.clusters.map(({ name }) => streamFor(name).name),
    ...buckets().map(({ name }) => name),
  ];
  const found = names.map((name) => ({
    name,
    differences: faults.find((fault) => fault.name === name)?.differences ?? [],
  }));
  const lines = found.flatMap(({ name, differences }) =>
    differences.length === 0
      ? [`${name}: ok`]
      : [`${name}: not as it must be, and left as it is:`, ...differences.map((each) => `  ${each}`)],
  );
  return { text: lines.join("\n"), json: found, code: faults.length > 0 ? 1 : 0 };
}

/** @throws UserError when NATS is not reached in time */
export async function connected(bus: Bus, clock: Clock, waitMs: number): Promise<void> {
  if (bus.connected) return;
  const late = new AbortController();
  const stop = bus.onConnection((is) => {
    if (is) late.abort();
  });
  await clock.sleep(waitMs, late.signal).catch(() => undefined);
  stop();
  if (!bus.connected) {
    throw new UserError(
      "NATS was not reached: check nats.servers, its credentials and its CA in the configuration",
    );
  }
}
