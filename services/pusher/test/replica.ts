import type { Link, Replica, Stage } from "./stage.ts";

/** What the pusher number `n` hangs on. */
export const link = (n: number): Link => ({ user: `pusher-${n}`, source: `192.0.2.${n}`, isCut: false });

export const devices = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ name: `fw${n + 1}`, url: `https://fw${n + 1}.example.com` }));

/** What one pusher sent, by its source address. */
export const callsOf = (stage: Stage, n: number) =>
  stage.sent.filter(({ source }) => source === `192.0.2.${n}`);
export const writesOf = (stage: Stage, n: number) =>
  callsOf(stage, n).filter(({ method }) => method !== "GET");

/** How many devices a pusher says it holds. */
export async function leases(replica: Replica): Promise<number> {
  const lines = (await replica.metrics.render()).split("\n");
  const values = lines.filter((line) => line.startsWith("podgate_pusher_device_lease{"));
  return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
