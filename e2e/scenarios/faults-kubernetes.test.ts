import { readFileSync, writeFileSync } from "node:fs";
import t from "tap";
import { WATCHER_ACCOUNT } from "../stack/watcher-access.ts";
import { Exposures } from "./exposure.ts";
import { lasting, nothing, throughFault } from "./meanwhile.ts";
import { Relay } from "./relay.ts";
import { skip, stage, type Scene } from "./scene.ts";

/** A watch over which no byte has come for so long is dead. */
const SILENT_MS = 45_000;
/** A watch that may not be made again is noticed when the present one ends. */
const WATCH_MS = 40_000;
/** Lease, silence, a new list and verification. */
const RECOVERY_MS = 40_000;
const HELD_MS = 10_000;

const on = stage(t, {
  links: true,
  clusters: { a: { watcher: { configuration: { lease: { seconds: 3 } } } } },
  pusher: { configuration: { driftSeconds: 3 } },
});
const exposures = new Exposures(t, "faults-kubernetes");

/** @returns after how many milliseconds it was so */
async function untilVerified(scene: Scene, wanted: boolean, ms?: number): Promise<number> {
  const from = performance.now();
  const name = 'podgate_pusher_cluster_verified{cluster="a"}';
  const isSo = async () => ((await scene.stack.pusher.metrics()).get(name) === 1) === wanted || undefined;
  await scene.until(`cluster a to be ${wanted ? "" : "un"}verified`, isSo, ms);
  return Math.round(performance.now() - from);
}

t.test(
  "the API server is killed, and comes back",
  { skip },
  on(async (t, scene) => {
    const { plane } = scene.cluster();
    await throughFault(t, scene, exposures, {
      name: "api server restarted",
      still: true,
      strike: () => plane.killApiServer(),
      during: lasting(HELD_MS),
      heal: () => plane.restartApiServer(),
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "what the watcher missed is compacted away: it lists again",
  { skip },
  on(async (t, scene) => {
    const { plane } = scene.cluster();
    const link = scene.stack.link("kubernetes-a");
    await throughFault(t, scene, exposures, {
      name: "history compacted",
      strike: () => link.cut(),
      during: () => plane.compact(),
      heal: () => link.heal(),
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "the API server answers nothing any more, with every connection open",
  { skip },
  on(async (t, scene) => {
    const link = scene.stack.link("kubernetes-a");
    await throughFault(t, scene, exposures, {
      name: "api server silent",
      strike: () => link.blackHole(),
      during: async () => {
        const ms = await untilVerified(scene, false, SILENT_MS);
        t.comment(`noticed after ${ms} ms`);
        await lasting(HELD_MS)();
      },
      heal: () => link.heal(),
      boundMs: SILENT_MS + HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "the watches go silent with their sockets open, and new connections are good: noticed without help",
  { skip },
  on(async (t, scene) => {
    const { access, watcher, plane } = scene.cluster();
    const relay = await Relay.to(plane.server);
    const direct = readFileSync(access.kubeconfig, "utf8");
    const { clusters } = JSON.parse(direct) as { clusters: [{ cluster: { server: string } }] };
    const { server } = clusters[0].cluster;
    try {
      writeFileSync(access.kubeconfig, direct.replaceAll(server, relay.url), { mode: 0o600 });
      await watcher.restart();
      await untilVerified(scene, true);
      await throughFault(t, scene, exposures, {
        name: "watches silent",
        strike: () => relay.hold(),
        heal: nothing,
        boundMs: SILENT_MS + RECOVERY_MS,
      });
    } finally {
      writeFileSync(access.kubeconfig, direct, { mode: 0o600 });
      await watcher.restart();
      await relay.close();
    }
    await untilVerified(scene, true);
  }),
);

t.test(
  "the API server is half a second away",
  { skip },
  on(async (t, scene) => {
    const link = scene.stack.link("kubernetes-a");
    await throughFault(t, scene, exposures, {
      name: "api server slow",
      strike: () => link.delay(500),
      during: lasting(HELD_MS),
      heal: () => link.heal(),
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "every connection to the API server is reset",
  { skip },
  on(async (t, scene) => {
    const link = scene.stack.link("kubernetes-a");
    await throughFault(t, scene, exposures, {
      name: "api server resets",
      strike: () => link.reset(),
      during: lasting(HELD_MS),
      heal: () => link.heal(),
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "the watcher may not read pods any more, until it may again",
  { skip },
  on(async (t, scene) => {
    const { plane } = scene.cluster();
    const where = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      name: WATCHER_ACCOUNT,
    };
    scene.takesAway("pods");
    const { rules } = await plane.client.get<{ rules: { resources?: string[] }[] }>(where);
    const fewer = rules.map((rule) =>
      Object.assign({}, rule, { resources: (rule.resources ?? []).filter((name) => name !== "pods") }),
    );
    await throughFault(t, scene, exposures, {
      name: "forbidden",
      strike: () => plane.client.patch(where, { rules: fewer.filter((rule) => rule.resources.length > 0) }),
      during: () => untilVerified(scene, false, WATCH_MS + HELD_MS),
      heal: () => plane.client.patch(where, { rules }),
      boundMs: WATCH_MS + HELD_MS + 2 * RECOVERY_MS,
    });
  }),
);
