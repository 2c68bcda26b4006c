import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADDRESS_ACCESS } from "@podgate/fortios-simulator/access";
import t from "tap";
import { PRODUCT_USER } from "../stack/firewall.ts";
import type { Cluster } from "../stack/stack.ts";
import { WATCHER_ACCOUNT, WATCHER_NAMESPACE } from "../stack/watcher-access.ts";
import { skip, stage, type Scene } from "./scene.ts";

/** So long a device that refused a token is left alone, and what comes after that. */
const LEFT_ALONE_MS = 90_000;
const RECOVERED_MS = LEFT_ALONE_MS + 30_000;
/** The API server remembers a good token for 10 s, the Lease lasts 10 s, a watch 40 s. */
const NOTICED_MS = 60_000;
/** A token file is read again after 60 s. */
const TOKEN_READ_MS = 90_000;

const PUSHER = { name: PRODUCT_USER, profile: ADDRESS_ACCESS, vdoms: "*" } as const;
const FIRST = "the-token-at-first";
const SECOND = "the-token-that-follows";
const THIRD = "the-token-that-is-put-in-its-place";

const on = stage(t);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

/** What `kubectl get` and `kubectl describe` say of a group being in step. */
async function inSync(scene: Scene, name: string): Promise<Condition | undefined> {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name };
  const { status } = await scene
    .cluster()
    .plane.client.get<{ status?: { conditions?: readonly Condition[] } }>(where);
  return status?.conditions?.find(({ type }) => type === "InSync");
}

/** The pusher's requests that the device answered with 401. */
const refusals = (scene: Scene) => scene.stack.firewall().simulator.log({ status: 401 });
const requests = (scene: Scene): number =>
  scene.stack
    .firewall()
    .simulator.log()
    .filter(({ userAgent }) => userAgent !== "podgate-e2e").length;

/** The sample of a gauge without regard of labels that follow those given. */
async function sample(service: Cluster["watcher"], name: string): Promise<number | undefined> {
  const found = [...(await service.metrics())].find(([key]) => key.startsWith(name));
  return found?.[1];
}

t.test(
  "a FortiGate token that is refused: one attempt, told in the status, also across a restart; then the new one",
  { skip },
  on(async (t, scene) => {
    const { pusher } = scene.stack;
    const { simulator, tokenFile } = scene.stack.firewall();
    const { device } = simulator;
    device.setUser({ ...PUSHER, token: FIRST });
    writeFileSync(tokenFile, `${FIRST}\n`);
    await scene.namespace("refused");
    await scene.group("refused", { pods: { app: "refused" } });
    await scene.deployment("refused", "refused", { replicas: 2 });
    const before = await scene.untilEqual("refused", { count: 2 });

    device.setUser({ ...PUSHER, token: SECOND });
    const after = pusher.log.length;
    await scene.scale("refused", "refused", 3);
    const line = await pusher.logged(
      "the token is refused",
      ({ reason }) => reason === "unauthorized",
      after,
    );
    t.match(line.msg, /token/);
    let said: Condition | undefined;
    await scene.until(
      () => `a status that names the token: ${JSON.stringify(said)}`,
      async () => {
        said = await inSync(scene, "refused");
        return (said?.status === "False" && said.message.includes("token")) || undefined;
      },
    );

    await pusher.restart();
    await scene.until(
      "the restarted pusher to know",
      async () => (await sample(pusher, "podgate_pusher_device_blocked")) || undefined,
    );
    await scene.until(
      "the restarted pusher to hear the cluster",
      async () => (await sample(pusher, 'podgate_pusher_cluster_verified{cluster="a"')) || undefined,
    );
    t.equal(refusals(scene).length, 1, "the device was asked once");
    const asked = requests(scene);

    writeFileSync(tokenFile, `${SECOND}\n`);
    await scene.untilEqual("refused", { count: 3, ms: RECOVERED_MS });
    t.equal(refusals(scene).length, 1, "and never again with the old token");
    t.ok(requests(scene) > asked);
    t.strictSame(device.lockout.state(Date.now()), {}, "it locked nobody out");
    for (const address of before) t.ok((await scene.members("refused"))?.includes(address));
    await scene.until(
      "the status to be in step",
      async () => (await inSync(scene, "refused"))?.status === "True" || undefined,
    );
    t.strictSame(scene.judge("refused", { boundMs: RECOVERED_MS }).wrong, []);
    const logs = JSON.stringify([pusher.log, scene.cluster().watcher.log]);
    t.notOk(logs.includes(FIRST) || logs.includes(SECOND), "no token is in a log");
  }),
);

t.test(
  "a FortiGate token that is refused, and then replaced in its file: the new one is used within seconds",
  { skip },
  on(async (t, scene) => {
    const { pusher } = scene.stack;
    const { simulator, tokenFile } = scene.stack.firewall();
    const { device } = simulator;
    device.setUser({ ...PUSHER, token: SECOND });
    writeFileSync(tokenFile, `${SECOND}\n`);
    await scene.namespace("replaced");
    await scene.group("replaced", { pods: { app: "replaced" } });
    await scene.deployment("replaced", "replaced", { replicas: 1 });
    await scene.untilEqual("replaced", { count: 1 });

    const before = refusals(scene).length;
    device.setUser({ ...PUSHER, token: THIRD });
    const after = pusher.log.length;
    await scene.scale("replaced", "replaced", 2);
    await pusher.logged("the token is refused", ({ reason }) => reason === "unauthorized", after);
    writeFileSync(tokenFile, `${THIRD}\n`);
    await scene.untilEqual("replaced", { count: 2, ms: LEFT_ALONE_MS / 3 });
    t.equal(refusals(scene).length, before + 1, "one attempt with the old one, and none more");
    t.strictSame(device.lockout.state(Date.now()), {}, "it locked nobody out");
    t.notOk(JSON.stringify(pusher.log).includes(THIRD), "no token is in a log");
  }),
);

/** A token of the watcher's account, in the file that its kubeconfig names, as in a pod. */
async function giveToken({ plane }: Cluster): Promise<string> {
  const file = join(plane.directory, "watcher.token");
  const account = `/api/v1/namespaces/${WATCHER_NAMESPACE}/serviceaccounts/${WATCHER_ACCOUNT}`;
  const answer = await plane.client.call("POST", `${account}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3600 },
  });
  writeFileSync(file, (answer as { status: { token: string } }).status.token, { mode: 0o600 });
  return file;
}

/** The watcher reads its token from a file from its next start on. */
function useTokenFile({ access }: Cluster, file: string): void {
  const kubeconfig = JSON.parse(readFileSync(access.kubeconfig, "utf8")) as { users: { user: object }[] };
  for (const entry of kubeconfig.users)
    entry.user = { "auth-provider": { name: "tokenFile", config: { tokenFile: file } } };
  writeFileSync(access.kubeconfig, JSON.stringify(kubeconfig));
}

t.test(
  "a Kubernetes token that is refused: the watcher does not say synced, nothing is removed; then the new one",
  { skip },
  on(async (t, scene) => {
    const cluster = scene.cluster();
    const { watcher, plane } = cluster;
    const { pusher } = scene.stack;
    const account = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      name: WATCHER_ACCOUNT,
      namespace: WATCHER_NAMESPACE,
    };
    const phase = (): Promise<number | undefined> => sample(watcher, 'podgate_watcher_phase{phase="synced"}');
    const verified = () => sample(pusher, 'podgate_pusher_cluster_verified{cluster="a"');
    useTokenFile(cluster, await giveToken(cluster));
    await watcher.restart();
    await scene.namespace("blind");
    await scene.group("blind", { pods: { app: "blind" } });
    await scene.deployment("blind", "blind", { replicas: 3 });
    const before = await scene.untilEqual("blind", { count: 3 });

    await plane.client.delete(account);
    await scene.until(
      "the watcher not to be synced",
      async () => (await phase()) === 0 || undefined,
      NOTICED_MS,
    );
    const since = scene.stack.firewall().simulator.log().at(-1)?.id ?? 0;
    await scene.scale("blind", "blind", 1);
    await scene.until("two pods to go", async () => (await scene.pods("blind")).length === 1 || undefined);
    await scene.until("the pusher to miss the cluster", async () => (await verified()) === 0 || undefined);
    t.equal(await phase(), 0, "it sees nothing, and does not say synced");
    t.strictSame(await scene.members("blind"), before, "all that were there stay");
    t.strictSame(scene.stack.firewall().writes(since), [], "nothing was written");

    const { apiVersion, kind, ...metadata } = account;
    await plane.apply({ apiVersion, kind, metadata });
    await giveToken(cluster);
    await scene.untilEqual("blind", { count: 1, ms: TOKEN_READ_MS });
    t.equal(await phase(), 1);
    t.strictSame(scene.judge("blind", { boundMs: NOTICED_MS + TOKEN_READ_MS }).wrong, []);
  }),
);
