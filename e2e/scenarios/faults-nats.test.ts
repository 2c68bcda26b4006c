import { jetstreamManager, jetstream, StorageType, type JetStreamManager } from "@nats-io/jetstream";
import t from "tap";
import { Exposures } from "./exposure.ts";
import { lasting, nothing, throughFault } from "./meanwhile.ts";
import { skip, stage, type Scene } from "./scene.ts";

const STREAM = "PODGATE_a";
const MINUTE_MS = 60_000;
/** A fault is held on to until silence was noticed and retries are far apart. */
const HELD_MS = 10_000;
/** Lease, silence, reconnection and verification after a fault is over, on a busy machine. */
const RECOVERY_MS = 30_000;
const MEBIBYTE = 1024 ** 2;

const on = stage(t, {
  links: true,
  clusters: { a: { watcher: { configuration: { lease: { seconds: 3 } } } } },
  pusher: { configuration: { driftSeconds: 3 } },
});
const exposures = new Exposures(t, "faults-nats");

/** With every right, for what a person does to the bus. */
async function asAdmin<T>(scene: Scene, act: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await scene.stack.nats.admin();
  try {
    return await act(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

async function verified(scene: Scene): Promise<boolean> {
  return (await scene.stack.pusher.metrics()).get('podgate_pusher_cluster_verified{cluster="a"}') === 1;
}

const untilVerified = (scene: Scene, wanted: boolean) =>
  scene.until(
    `cluster a to be ${wanted ? "" : "un"}verified`,
    async () => (await verified(scene)) === wanted || undefined,
  );

t.test(
  "NATS is down for a minute",
  { skip },
  on(async (t, scene) => {
    const { nats } = scene.stack;
    await throughFault(t, scene, exposures, {
      name: "nats down",
      strike: () => nats.kill(),
      during: lasting(MINUTE_MS),
      heal: () => nats.start(),
      boundMs: MINUTE_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "the volume of NATS is lost: the streams are made and filled again, and nothing is removed or written meanwhile",
  { skip },
  on(async (t, scene) => {
    const { nats } = scene.stack;
    const group = "wiped";
    await scene.namespace(group);
    await scene.group(group, { pods: { app: group } });
    await scene.deployment(group, group, { replicas: 3 });
    await scene.untilEqual(group, { count: 3 });
    await untilVerified(scene, true);
    const since = scene.stack.firewall().simulator.log().at(-1)?.id ?? 0;
    await nats.wipe();
    await untilVerified(scene, false);
    await untilVerified(scene, true);
    const stored = await asAdmin(scene, (manager) => manager.streams.info(STREAM));
    t.ok(stored.state.messages > 3, "the stream holds the members again");
    t.strictSame(scene.stack.firewall().writes(since), [], "nothing was written");

    await throughFault(t, scene, exposures, {
      name: "nats wiped",
      strike: () => nats.wipe(),
      heal: nothing,
      boundMs: RECOVERY_MS,
    });
    t.strictSame(scene.judge(group, { boundMs: RECOVERY_MS }).wrong, []);
  }),
);

t.test(
  "NATS is slow: half a second each way, for watcher and pusher",
  { skip },
  on(async (t, scene) => {
    const links = ["nats-a", "nats-pusher"].map((name) => scene.stack.link(name));
    await throughFault(t, scene, exposures, {
      name: "nats slow",
      strike: () => Promise.all(links.map((link) => link.delay(500))),
      during: async () => {
        await scene.untilEqual("nats-slow", { count: 2, ms: RECOVERY_MS });
        t.pass("changes go through while it lasts");
      },
      heal: () => Promise.all(links.map((link) => link.heal())),
      boundMs: RECOVERY_MS,
    });
  }),
);

for (const [client, link] of [
  ["the watcher", "nats-a"],
  ["the pusher", "nats-pusher"],
] as const)
  t.test(
    `NATS swallows what ${client} sends, with the connection open`,
    { skip },
    on(async (t, scene) => {
      const road = scene.stack.link(link);
      await throughFault(t, scene, exposures, {
        name: `nats black hole of ${client}`,
        strike: () => road.blackHole(),
        during: () => untilVerified(scene, false),
        heal: () => road.heal(),
        boundMs: 2 * RECOVERY_MS,
      });
    }),
  );

t.test(
  "the store of NATS is full, until somebody makes room",
  { skip },
  on(async (t, scene) => {
    const { nats } = scene.stack;
    const { watcher } = scene.cluster();
    const after = watcher.log.length;
    const before = nats.maxStoreBytes;
    const filler = "filler";
    const room = 16 * MEBIBYTE;
    await asAdmin(scene, (manager) => manager.streams.update(STREAM, { max_bytes: room / 2 }));
    await nats.stop();
    // Both buckets reserve 64 MiB.
    nats.maxStoreBytes = 2 * 64 * MEBIBYTE + room;
    await nats.start();
    await untilVerified(scene, true);
    await throughFault(t, scene, exposures, {
      name: "nats store full",
      strike: async () => {
        const connection = await nats.admin();
        try {
          const manager = await jetstreamManager(connection);
          await manager.streams.add({ name: filler, subjects: [filler], storage: StorageType.File });
          const stuff = new Uint8Array(MEBIBYTE - 1024);
          const fill = async (): Promise<void> => {
            for (;;) await jetstream(connection).publish(filler, stuff);
          };
          await t.rejects(fill(), /insufficient|exceeded/);
        } finally {
          await connection.close();
        }
      },
      during: async () => {
        await watcher.logged("that it is full", ({ kind }) => kind === "full", after);
        await lasting(HELD_MS)();
        t.equal((await scene.members("nats-store-full"))?.length, 4, "nothing came through");
      },
      heal: () => asAdmin(scene, (manager) => manager.streams.delete(filler)),
      boundMs: 2 * RECOVERY_MS,
    });
    await nats.stop();
    nats.maxStoreBytes = before;
    await nats.start();
    await untilVerified(scene, true);
  }),
);

for (const user of ["a", "pusher"] as const)
  t.test(
    `the permissions of user ${user} are withdrawn, and given back`,
    { skip },
    on(async (t, scene) => {
      const { nats } = scene.stack;
      await throughFault(t, scene, exposures, {
        name: `nats rights of ${user}`,
        strike: () => nats.withdraw(user),
        during: async () => {
          await untilVerified(scene, false);
          await lasting(HELD_MS)();
        },
        heal: () => nats.restore(user),
        boundMs: 2 * RECOVERY_MS,
      });
    }),
  );

const isAboutField = (line: object): boolean => JSON.stringify(line).includes("max_msgs_per_subject");

t.test(
  "somebody makes the stream with a wrong configuration: both services name it, and nothing is removed",
  { skip },
  on(async (t, scene) => {
    const { pusher } = scene.stack;
    const { watcher } = scene.cluster();
    const wrong = {
      max_msgs_per_subject: -1,
      deny_delete: false,
      deny_purge: false,
      allow_rollup_hdrs: true,
    };
    const after = { pusher: pusher.log.length, watcher: watcher.log.length };
    await throughFault(t, scene, exposures, {
      name: "nats wrong stream",
      // The pusher makes a missing stream within seconds: it must not be quicker.
      strike: async () => {
        pusher.pause();
        await asAdmin(scene, async (manager) => {
          const { config } = await manager.streams.info(STREAM);
          await manager.streams.delete(STREAM);
          await manager.streams.add({ name: STREAM, subjects: config.subjects, ...wrong });
        });
        pusher.resume();
      },
      during: async () => {
        await pusher.logged("the wrong field", isAboutField, after.pusher);
        await watcher.logged("the wrong field", isAboutField, after.watcher);
        t.ok(((await scene.members("nats-wrong-stream")) ?? []).length >= 4, "all that were there stay");
      },
      heal: () => asAdmin(scene, (manager) => manager.streams.delete(STREAM)),
      boundMs: 2 * RECOVERY_MS,
    });
  }),
);
