import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { memberSubject, streamOf } from "@podgate/shared/contract/subjects";
import t from "tap";
import { membershipHistory } from "../stack/history.ts";
import type { Service } from "../stack/service.ts";
import { newWatcher } from "../stack/watcher.ts";
import { Relay } from "./relay.ts";
import { skip, stage, type Scene } from "./scene.ts";

const CLUSTER = "a";
const GROUP = "fenced";
/** An object this large is seen to pass the relay. */
const MARK_BYTES = 200_000;
const configuration = { lease: { seconds: 6 } };

const on = stage(t, { clusters: { [CLUSTER]: { watcher: { configuration } } } });

t.test(
  "a leader that was paused and wakes after a takeover publishes nothing, though it knows of a new address",
  { skip },
  on(async (t, scene) => {
    const { plane, access, watcher: second } = scene.cluster();
    await scene.namespace(GROUP);
    await scene.group(GROUP, { pods: { app: GROUP } });
    await scene.pod(GROUP, "stays", { app: GROUP });
    await scene.untilEqual(GROUP, { count: 1 });

    await second.stop();
    const relay = await Relay.to(plane.server);
    const kubeconfig = join(plane.directory, "relayed.kubeconfig");
    const direct = readFileSync(access.kubeconfig, "utf8");
    writeFileSync(kubeconfig, direct.replaceAll(plane.server, relay.url), { mode: 0o600 });
    const { nats } = scene.stack;
    const first = newWatcher({ cluster: CLUSTER, nats, kubeconfig, configuration, name: "first watcher" });
    try {
      await first.start();
      await first.until("synced", () => isSynced(first));
      await second.start();

      // The first stands still, and in its socket waits a pod that the second will never see.
      first.pause();
      await scene.pod(GROUP, "ghost", { app: GROUP });
      const ghost = await scene.until("the pod's address", () => addressOf(scene, "ghost"));
      const before = relay.received;
      const podAt = { apiVersion: "v1", kind: "Pod", namespace: GROUP, name: "ghost" };
      await plane.client.patch(podAt, { metadata: { annotations: { mark: "x".repeat(MARK_BYTES) } } });
      await scene.until("the pod on its way", () => relay.received - before > MARK_BYTES || undefined);
      relay.hold();
      await plane.client.delete(podAt);
      await scene.until(
        "the pod to be gone",
        async () => (await scene.pods(GROUP)).length === 1 || undefined,
      );
      t.notOk(await isSynced(second), "the second has not taken over before");
      await second.until("synced", () => isSynced(second));

      first.resume();
      await first.logged("that it was refused", ({ msg }) => /not this session's any more/.test(msg));
      await first.logged("not leading any more", ({ msg }) => msg === "not leading any more");
      const connection = await nats.admin();
      try {
        const { streams } = await jetstreamManager(connection);
        const last = (address: string) =>
          streams.getMessage(streamOf(CLUSTER), { last_by_subj: memberSubject(CLUSTER, GROUP, address) });
        const [member = ""] = (await scene.members(GROUP)) ?? [];
        t.ok(await last(member), "a member is in the stream");
        t.equal(await last(ghost), null, "the address that only the first knew is not");
      } finally {
        await connection.close();
      }
      const states = membershipHistory(scene.stack.firewall(), GROUP);
      t.notOk(
        states.some(({ members }) => members.has(ghost)),
        "nor was it on the firewall at any moment",
      );

      await scene.pod(GROUP, "later", { app: GROUP });
      await scene.untilEqual(GROUP, { count: 2 });
      t.strictSame(scene.judge(GROUP).wrong, []);
    } finally {
      await first.close();
      await relay.close();
    }
  }),
);

async function isSynced(watcher: Service): Promise<true | undefined> {
  return (await watcher.metrics()).get('podgate_watcher_phase{phase="synced"}') === 1 || undefined;
}

async function addressOf(scene: Scene, name: string): Promise<string | undefined> {
  const pod = (await scene.pods(GROUP)).find(({ metadata }) => metadata.name === name);
  return (pod?.["status"] as { podIP?: string } | undefined)?.podIP;
}
