import { approveCommand, type Waiting } from "../src/commands/approve.ts";
import { Stage, configurationOf } from "./stage.ts";
import type { TestWatcher } from "./test-watcher.ts";

export const addresses = (count: number, from = 1): string[] =>
  [...Array(count).keys()].map((n) => `10.0.${Math.trunc((n + from) / 250)}.${((n + from) % 250) + 1}`);

export const WINDOW_MS = 60_000;
export const SHORT_WINDOW = configurationOf({ guards: { massRemoval: { windowSeconds: WINDOW_MS / 1000 } } });

/** A group web of cluster east with these addresses, in place. */
export async function running(count: number): Promise<[Stage, TestWatcher]> {
  const stage = new Stage(SHORT_WINDOW);
  const watcher = await stage.watcher("east", "web");
  // Pods that no group selects are listed, too.
  watcher.pods = 100;
  await stage.watcher("west");
  stage.start();
  for (const address of addresses(count)) await stage.during(watcher.add("web", address));
  await stage.until(() => stage.holds("web", ...addresses(count)), 60_000);
  // What was there when the window began is what shares are taken of.
  await stage.clock.run(WINDOW_MS * 1.1);
  return [stage, watcher];
}

export const WAIT = { waitMs: 15_000 };
export const approve = (stage: Stage, hash?: string) =>
  stage.during(
    approveCommand(stage.configuration, stage.ports(), { hash, who: "alice", ...WAIT }),
  ) as Promise<{ text: string; json: unknown; code: number }>;

/** The hash under which the pusher tells what it holds. */
export async function heldHash(stage: Stage): Promise<string> {
  const [waiting] = (await approve(stage)).json as Waiting[];
  return waiting?.hash ?? "";
}
