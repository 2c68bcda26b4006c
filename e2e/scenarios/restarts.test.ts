import { jetstreamManager } from "@nats-io/jetstream";
import t, { type Test } from "tap";
import { skip, stage, type Scene } from "./scene.ts";

const STREAM = "PODGATE_a";
const GROUP = "steady";

const on = stage(t, {
  clusters: { a: { watcher: { configuration: { lease: { seconds: 3 } } } } },
  // So that a whole period fits into a test.
  pusher: { configuration: { driftSeconds: 3 } },
});

for (const how of ["stop", "kill"] as const) {
  const signal = how === "stop" ? "SIGTERM" : "kill -9";
  t.test(
    `watcher, pusher and NATS are restarted one after another and all at once (${signal}): nothing is written`,
    { skip },
    on(async (t, scene) => {
      const { stack } = scene;
      const parts = [stack.cluster().watcher, stack.pusher, stack.nats];
      await settled(scene, 3);
      for (const restarted of [...parts.map((part) => [part]), parts]) {
        await withoutWrites(t, scene, restarted.map((part) => nameOf(part)).join(" and "), async () => {
          await Promise.all(restarted.map((part) => part[how]()));
          // As a machine brings them up again: in any order.
          await Promise.all(restarted.map((part) => part.start()));
        });
      }
      await isAlive(t, scene);
    }),
  );
}

t.test(
  "NATS comes back with an older copy of its store: nothing is written, and no address of then comes back",
  { skip },
  on(async (t, scene) => {
    await settled(scene, 4);
    const restore = await scene.stack.nats.copyStore();
    await settled(scene, 1);
    await withoutWrites(t, scene, "the older copy", restore);
    await isAlive(t, scene);
  }),
);

t.test(
  "a pusher that starts on an older copy, with no watcher to tell it so, writes nothing",
  { skip },
  on(async (t, scene) => {
    const { nats, pusher } = scene.stack;
    const { watcher } = scene.cluster();
    await settled(scene, 4);
    const restore = await nats.copyStore();
    await scene.scale(GROUP, "web", 1);
    await settled(scene, 1);
    await watcher.stop();
    await pusher.stop();
    const since = lastRequest(scene);
    await restore();
    await pusher.start();
    await driftPeriod(scene);
    t.strictSame(writes(scene, since), [], "without a watcher");
    t.equal(await verified(scene), false);
    await withoutWrites(t, scene, "the watcher's return", () => watcher.start());
    await isAlive(t, scene);
  }),
);

t.test(
  "a stream that was deleted is made again and filled, and nothing is written",
  { skip },
  on(async (t, scene) => {
    await settled(scene, 2);
    const connection = await scene.stack.nats.admin();
    try {
      const manager = await jetstreamManager(connection);
      const before = await manager.streams.info(STREAM);
      await withoutWrites(t, scene, "the deletion", async () => {
        await manager.streams.delete(STREAM);
        await scene.until(
          "the stream to be made again",
          async () => {
            const now = await manager.streams.info(STREAM).catch(() => undefined);
            return now !== undefined && now.created !== before.created ? true : undefined;
          },
          45_000,
        );
      });
    } finally {
      await connection.close();
    }
    await isAlive(t, scene);
  }),
);

t.test(
  "what changes while watcher, pusher or NATS is away is made up for when it is back",
  { skip },
  on(async (t, scene) => {
    const group = "meanwhile";
    await scene.namespace(group);
    await scene.group(group, { pods: { app: group } });
    await scene.deployment(group, group, { replicas: 3 });
    await scene.untilEqual(group, { count: 3 });
    const { stack } = scene;
    for (const part of [stack.cluster().watcher, stack.pusher, stack.nats]) {
      await part.kill();
      for (const replicas of [1, 4, 3]) {
        await scene.scale(group, group, replicas);
        await scene.until(`${replicas} pods`, async () => {
          return (await scene.expected(group)).length === replicas || undefined;
        });
      }
      await part.start();
      await scene.untilEqual(group, { count: 3 });
    }
    // The watcher's Lease runs out first, and nothing is removed before the cluster is verified.
    t.strictSame(scene.judge(group, { boundMs: 20_000 }).wrong, []);
  }),
);

/** The group has so many members on the firewall, by a cluster that is verified, and nothing is under way. */
async function settled(scene: Scene, replicas: number): Promise<void> {
  await scene.namespace(GROUP);
  await scene.group(GROUP, { pods: { app: "web" } });
  await scene.deployment(GROUP, "web", { replicas });
  await scene.untilEqual(GROUP, { count: replicas });
  await untilVerified(scene);
  await scene.until("the firewall to be left alone", async () => {
    const since = lastRequest(scene);
    await driftPeriod(scene);
    return writes(scene, since).length === 0 ? true : undefined;
  });
}

/** No write while this is done, until the cluster is verified again, and for a whole drift period after that. */
async function withoutWrites(
  t: Test,
  scene: Scene,
  what: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const since = lastRequest(scene);
  await act();
  await untilVerified(scene);
  await driftPeriod(scene);
  await untilVerified(scene);
  t.strictSame(writes(scene, since), [], `nothing is written: ${what}`);
  t.strictSame(scene.judge(GROUP).wrong, [], `no member was wrong: ${what}`);
}

/** What did not write was not dead. */
async function isAlive(t: Test, scene: Scene): Promise<void> {
  for (const replicas of [2, 5, 3]) {
    await scene.scale(GROUP, "web", replicas);
    await scene.untilEqual(GROUP, { count: replicas });
  }
  t.strictSame(scene.judge(GROUP).wrong, []);
}

/** The device was read whole, then once more: at least one period lies in between. */
async function driftPeriod(scene: Scene): Promise<void> {
  const { simulator } = scene.stack.firewall();
  const reads = (since: number) =>
    simulator
      .log({ since, methods: ["GET"], path: "firewall/addrgrp6" })
      .filter(({ userAgent }) => userAgent !== "podgate-e2e");
  let since = lastRequest(scene);
  for (const which of ["a read", "the next read"]) {
    const found = await scene.until(`${which} of the firewall`, () => reads(since)[0]);
    since = found.id;
  }
}

function lastRequest(scene: Scene): number {
  return scene.stack.firewall().simulator.log({}).at(-1)?.id ?? 0;
}

function writes(scene: Scene, since: number): string[] {
  return scene.stack
    .firewall()
    .writes(since)
    .map(({ method, path, body }) => `${method} ${path} ${JSON.stringify(body)}`);
}

async function verified(scene: Scene): Promise<boolean> {
  return (await scene.stack.pusher.metrics()).get('podgate_pusher_cluster_verified{cluster="a"}') === 1;
}

async function untilVerified(scene: Scene): Promise<void> {
  const { watcher } = scene.cluster();
  const synced = 'podgate_watcher_phase{phase="synced"}';
  await watcher.until("synced", async () => (await watcher.metrics()).get(synced) || undefined);
  await scene.until("cluster a to be verified", async () => ((await verified(scene)) ? true : undefined));
}

const nameOf = (part: object): string => ("name" in part ? String(part.name) : "NATS");
