import type { Stage } from "./stage.ts";
import type { TestWatcher } from "./test-watcher.ts";

const many = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `10.0.0.${from + at}`);

/** Of cluster east in web, before it was rebuilt and after. */
export const OLD = many(1, 20);
export const NEW = [...many(1, 2), "10.7.7.7"];

/**
 * Cluster east had 20 addresses in web and one in batch; a rebuilt one, which has two of them and one other, has taken
 * over its stream.
 *
 * @param start starts the pusher
 * @returns the watcher of the rebuilt one, and what was started
 */
export async function rebuild<T>(
  stage: Stage,
  start: () => T,
): Promise<{ readonly next: TestWatcher; readonly started: T }> {
  const old = await stage.watcher("east", "web", "batch");
  await stage.watcher("west");
  const started = start();
  for (const address of OLD) await stage.during(old.add("web", address));
  await stage.during(old.add("batch", "10.0.1.1"));
  await stage.until(() => stage.holds("web", ...OLD) && stage.holds("batch", "10.0.1.1"), 60_000);
  // Its uid is kept.
  await stage.clock.run(10_000);
  old.stop();
  await stage.clock.run(30_000);
  const next = (await stage.silentWatcher("east", "uid-of-the-new")).knows(old);
  await stage.during(next.start("web"));
  for (const address of many(3, 20)) await stage.during(next.remove("web", address, "vanished"));
  await stage.during(next.remove("batch", "10.0.1.1", "undefined"));
  await stage.during(next.add("web", "10.7.7.7"));
  await stage.clock.run(5000);
  return { next, started };
}
