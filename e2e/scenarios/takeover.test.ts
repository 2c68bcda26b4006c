import t from "tap";
import type { Service } from "../stack/service.ts";
import { newWatcher } from "../stack/watcher.ts";
import { skip, stage, type Scene } from "./scene.ts";

const CLUSTER = "a";
const GROUP = "taken-over";
const LABELS = { app: GROUP };
/** The Lease of 10 s by default, a moment in which it is noticed, claim and list. */
const TAKEOVER_MS = 15_000;
/** The next one asks for the Lease every 2 s; half of what it would wait for after a kill. */
const AT_ONCE_MS = 5000;

const on = stage(t, { clusters: { [CLUSTER]: {} } });

t.test(
  "the watcher that leads is killed, or told to stop: what happens then is on the firewall within 15 s, or at once",
  { skip },
  on(async (t, scene) => {
    const { access, watcher: first } = scene.cluster();
    const { nats } = scene.stack;
    await scene.namespace(GROUP);
    await scene.group(GROUP, { pods: LABELS });
    await scene.pod(GROUP, "stays", LABELS);
    await scene.untilEqual(GROUP, { count: 1 });
    const second = newWatcher({
      cluster: CLUSTER,
      nats,
      kubeconfig: access.kubeconfig,
      name: "second watcher",
    });
    try {
      await second.start();
      const killed = await takeover(scene, first, second, "kill");
      t.comment(`SIGKILL → the next watcher's first address on the firewall: ${killed} ms`);
      t.ok(killed <= TAKEOVER_MS, `${killed} ms`);

      await first.start();
      await scene.until("the other one to lead", async () => (await leads(second)) || undefined);
      const stopped = await takeover(scene, second, first, "stop");
      t.comment(`SIGTERM → the next watcher's first address on the firewall: ${stopped} ms`);
      t.ok(stopped <= AT_ONCE_MS, `${stopped} ms`);
      t.strictSame(scene.judge(GROUP, { boundMs: TAKEOVER_MS }).wrong, []);
    } finally {
      await second.close();
    }
  }),
);

/** @returns milliseconds from the end of the one that led until an address that came after it is on the firewall */
async function takeover(scene: Scene, from: Service, to: Service, how: "kill" | "stop"): Promise<number> {
  const before = (await scene.pods(GROUP)).length;
  const ended = performance.now();
  await from[how]();
  await scene.pod(GROUP, `after-${how}`, LABELS);
  await scene.untilEqual(GROUP, { count: before + 1 });
  const took = Math.round(performance.now() - ended);
  if (!(await leads(to))) throw new Error("the next watcher does not lead");
  return took;
}

const leads = async (watcher: Service): Promise<boolean> =>
  (await watcher.metrics()).get("podgate_watcher_leader") === 1;
