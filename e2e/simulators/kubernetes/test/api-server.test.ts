import t from "tap";
import { ApiServer, DEFAULT_TOKEN, type ApiServerOptions, type Content } from "../src/api-server.ts";
import { Cluster } from "../src/cluster.ts";
import type { Watch } from "../src/watch.ts";

/** A server in this process. The clock stands still until a test moves it. */
function scene(options: ApiServerOptions = {}) {
  const clock = { at: 1_800_000_000_000, now: () => clock.at, timer: () => () => undefined };
  const api = new ApiServer(options);
  const cluster = new Cluster(api, clock);
  const ask = (method: string, url: string, body: unknown = "", token = DEFAULT_TOKEN): Content => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = { method, url, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
    return api.handle(request, clock.at).content;
  };
  const call = (method: string, url: string, body?: unknown, token?: string) => {
    const content = ask(method, url, body, token);
    if (content.kind !== "reply") throw new Error(content.kind);
    return { status: content.status, body: JSON.parse([...content.body].join("")) as Answer };
  };
  const watch = (query: string): Watch => {
    const content = ask("GET", `/api/v1/pods?watch=1&${query}`);
    if (content.kind !== "watch") throw new Error(content.kind);
    return content.watch;
  };
  return { clock, api, cluster, ask, call, watch };
}

interface Answer {
  readonly reason?: string;
  readonly message?: string;
  readonly metadata: { readonly resourceVersion: string; readonly generation?: number };
  readonly items?: readonly { readonly metadata: { readonly name: string } }[];
  readonly status?: { readonly allowed?: boolean };
}

/** `TYPE name` of every line there is now. */
function read(watch: Watch): string[] {
  const seen: string[] = [];
  for (let line = watch.next(); line !== undefined; line = watch.next()) {
    const { type, object } = JSON.parse(line) as {
      type: string;
      object: { code?: number; metadata?: { name?: string } };
    };
    seen.push([type, object.metadata?.name ?? object.code].filter((part) => part !== undefined).join(" "));
  }
  return seen;
}

t.test("a token that is not right is refused before anything else", async (t) => {
  const { call, api } = scene();
  t.match(call("GET", "/api/v1/pods", "", "wrong"), { status: 401, body: { reason: "Unauthorized" } });
  t.equal(call("GET", "/api/v1/unknown", "", "wrong").status, 401);
  api.access.token = "renewed";
  t.equal(call("GET", "/api/v1/pods").status, 401);
  t.equal(call("GET", "/api/v1/pods", "", "renewed").status, 200);
});

t.test("a denial refuses what it names, and reviews say so", async (t) => {
  const { call, api } = scene();
  api.access.denials = [{ verbs: ["list"], resource: "pods" }];
  const refused = call("GET", "/api/v1/pods");
  t.equal(refused.status, 403);
  t.match(refused.body.message, /cannot list resource "pods" in API group "" at the cluster scope/);
  t.equal(call("GET", "/api/v1/nodes").status, 200);
  const review = (verb: string): boolean | undefined =>
    call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      spec: { resourceAttributes: { verb, resource: "pods" } },
    }).body.status?.allowed;
  t.equal(review("list"), false);
  t.equal(review("watch"), true);
});

t.test("a server without streamed lists refuses them, and lists in pages", async (t) => {
  const { call, ask } = scene({ streamsLists: false });
  const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const refused = ask("GET", `/api/v1/pods?${query}`);
  t.match(refused, { kind: "reply", status: 422 });
  t.equal(call("GET", "/api/v1/pods?limit=10").status, 200);
});

t.test(
  "a watch without a version begins with what is there; of one namespace it shows that one only",
  async (t) => {
    const { cluster, watch, ask } = scene();
    cluster.createPod({ namespace: "default", name: "a" });
    cluster.createPod({ namespace: "podgate", name: "b" });
    t.strictSame(read(watch("")), ["ADDED a", "ADDED b"]);
    const one = ask("GET", "/api/v1/namespaces/podgate/pods?watch=1");
    cluster.deletePod("default", "a");
    cluster.deletePod("podgate", "b");
    t.strictSame(one.kind === "watch" && read(one.watch), ["ADDED b", "DELETED b"]);
  },
);

t.test("changes of one resource are not told to watches of another", async (t) => {
  const { cluster, watch, api } = scene();
  const pods = watch(`resourceVersion=${String(api.store.version)}`);
  cluster.labelNamespace("default", { team: "a" });
  cluster.createNode("node-1", { internal: ["192.0.2.1"] });
  t.strictSame(read(pods), []);
});

t.test(
  "bookmarks come in their time and in order with the events, the last 2 s before the end",
  async (t) => {
    const { clock, cluster, watch, api } = scene({ bookmarkEvery: 10_000 });
    const seen = watch(
      `resourceVersion=${String(api.store.version)}&allowWatchBookmarks=true&timeoutSeconds=30`,
    );
    const steps: string[] = [];
    for (const seconds of [5, 10, 20, 28, 30]) {
      clock.at = 1_800_000_000_000 + seconds * 1000;
      cluster.createPod({ namespace: "default", name: `p${String(seconds)}` });
      if (clock.at >= seen.wakeAt) seen.tick(clock.at);
      steps.push(`${String(seconds)}: ${read(seen).join(", ")}${seen.ended ? " end" : ""}`);
    }
    t.strictSame(steps, [
      "5: ADDED p5",
      "10: ADDED p10, BOOKMARK",
      "20: ADDED p20, BOOKMARK",
      "28: ADDED p28, BOOKMARK",
      "30: ADDED p30 end",
    ]);
  },
);

t.test("a resource that has not changed since the server started gets no bookmark", async (t) => {
  const { clock, cluster, watch, api } = scene();
  cluster.createPod({ namespace: "default", name: "a" });
  api.restart();
  const query = `resourceVersion=${String(api.store.version)}&allowWatchBookmarks=true&timeoutSeconds=30`;
  const quiet = watch(query);
  clock.at += 28_000;
  quiet.tick(clock.at);
  t.strictSame(read(quiet), []);
  cluster.createPod({ namespace: "default", name: "b" });
  const busy = watch(query);
  clock.at += 28_000;
  busy.tick(clock.at);
  t.strictSame(read(busy), ["ADDED b", "BOOKMARK"]);
});

t.test("beyond the history that is kept an old version gets 410, a younger one is resumed", async (t) => {
  const { cluster, watch, api } = scene({ history: 10 });
  const old = api.store.version;
  for (let n = 0; n < 21; n += 1) cluster.createPod({ namespace: "default", name: `p${String(n)}` });
  t.strictSame(read(watch(`resourceVersion=${String(old)}`)), ["ERROR 410"]);
  t.strictSame(read(watch(`resourceVersion=${String(api.store.version - 1)}`)), ["ADDED p20"]);
});

t.test("a watch from a version that is not reached yet says nothing until it is passed", async (t) => {
  const { cluster, watch, api } = scene();
  const future = watch(`resourceVersion=${String(api.store.version + 1)}`);
  cluster.createPod({ namespace: "default", name: "a" });
  t.strictSame(read(future), []);
  cluster.createPod({ namespace: "default", name: "b" });
  t.strictSame(read(future), ["ADDED b"]);
});

t.test("a restored backup takes versions and objects back", async (t) => {
  const { cluster, call, api } = scene();
  cluster.createPod({ namespace: "default", name: "a" });
  const backup = api.store.backup();
  const version = (): number => Number(call("GET", "/api/v1/pods").body.metadata.resourceVersion);
  const before = version();
  cluster.createPod({ namespace: "default", name: "b" });
  t.equal(version(), before + 1);
  api.restore(backup);
  t.equal(version(), before);
  t.strictSame(
    call("GET", "/api/v1/pods").body.items?.map(({ metadata }) => metadata.name),
    ["a"],
  );
});

t.test(
  "a definition that goes takes its objects along, ends their watches, and its path is gone",
  async (t) => {
    const { cluster, call, ask } = scene();
    const path = "/apis/podgate.dev/v1alpha1/clusteraddressgroups";
    cluster.applyGroup("", "web", { podSelector: {} });
    const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusteraddressgroups.podgate.dev";
    t.match(call("GET", crd).body, { status: { conditions: [{}, { type: "Established", status: "True" }] } });
    const content = ask("GET", `${path}?watch=1`);
    cluster.deleteDefinition("clusteraddressgroups");
    t.ok(content.kind === "watch");
    if (content.kind === "watch") {
      t.strictSame(read(content.watch), ["ADDED web", "DELETED web"]);
      t.ok(content.watch.ended);
    }
    t.equal(call("GET", path).status, 404);
  },
);

t.test("selectors choose by label and name; what is not simulated is refused", async (t) => {
  const { cluster, call } = scene();
  cluster.createPod({ namespace: "default", name: "a", labels: { app: "web", tier: "front" } });
  cluster.createPod({ namespace: "default", name: "b", labels: { app: "api" } });
  cluster.createPod({ namespace: "default", name: "c" });
  const names = (query: string): string[] | undefined =>
    call("GET", `/api/v1/pods?${query}`).body.items?.map(({ metadata }) => metadata.name);
  t.strictSame(names("labelSelector=app%3Dweb"), ["a"]);
  t.strictSame(names("labelSelector=app%21%3Dweb"), ["b", "c"]);
  t.strictSame(names("labelSelector=app,%21tier"), ["b"]);
  t.strictSame(names("fieldSelector=metadata.name%3Dc"), ["c"]);
  t.equal(call("GET", "/api/v1/pods?fieldSelector=status.phase%3DRunning").status, 400);
  t.equal(call("GET", "/api/v1/pods?labelSelector=app+in+(a)").status, 400);
});

t.test("a fault strikes what it names, as often as it says", async (t) => {
  const { call, ask, api } = scene();
  api.faults.add({ kind: "status", status: 500, resource: "pods", verbs: ["list"], times: 2 });
  t.strictSame(
    [1, 2, 3].map(() => call("GET", "/api/v1/pods").status),
    [500, 500, 200],
  );
  const mend = api.faults.add({ kind: "cut" });
  t.equal(ask("GET", "/api/v1/nodes").kind, "cut");
  mend();
  t.equal(ask("GET", "/api/v1/nodes").kind, "reply");
});

t.test("a pod that is said to run has a node, and shows its addresses", async (t) => {
  const { cluster, call } = scene();
  cluster.createPod({ namespace: "default", name: "a", addresses: ["10.244.0.1"] });
  cluster.createPod({ namespace: "default", name: "b", phase: "Pending", container: "none" });
  const { items } = call("GET", "/api/v1/pods").body;
  t.match(items?.[0], { spec: { nodeName: "node-1" }, status: { podIP: "10.244.0.1" } });
  t.notMatch(items?.[1], { spec: { nodeName: "node-1" } });
});

t.test("a running pod is about as large as a real one, and says where it runs and its address", async (t) => {
  const { cluster, call } = scene();
  cluster.createPod({
    namespace: "default",
    name: "a",
    nodeName: "node-1",
    addresses: ["10.244.0.1", "fd00::1"],
  });
  const { body } = call("GET", "/api/v1/namespaces/default/pods/a");
  t.match(body, {
    kind: "Pod",
    metadata: { name: "a", namespace: "default", uid: /^[0-9a-f-]{36}$/ },
    spec: { nodeName: "node-1" },
    status: { phase: "Running", podIP: "10.244.0.1", podIPs: [{ ip: "10.244.0.1" }, { ip: "fd00::1" }] },
  });
  const size = JSON.stringify(body).length;
  t.ok(size > 3000 && size < 7500, `${String(size)} bytes`);
});

t.test("lists can leave out what is there; watches go on telling of it", async (t) => {
  const { api, cluster, call, watch } = scene();
  for (const name of ["a", "b"]) cluster.createPod({ namespace: "default", name, addresses: ["10.0.0.1"] });
  const names = () => call("GET", "/api/v1/pods").body.items?.map(({ metadata }) => metadata.name);
  const streamed = (): string[] =>
    read(watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
  const open = watch(`resourceVersion=${String(api.store.version)}`);
  api.hides = ({ plural }, { key }) => plural === "pods" && key.endsWith("a");
  t.strictSame(names(), ["b"]);
  t.strictSame(streamed(), ["ADDED b", "BOOKMARK"]);
  t.strictSame(read(open), [], "and no event says so");
  cluster.changePod("default", "a", { phase: "Succeeded" });
  t.strictSame(read(open), ["MODIFIED a"]);
  api.hides = () => false;
  t.strictSame(names(), ["a", "b"]);
});

t.test(
  "the newest version is watched on after a compaction, unless something was written since",
  async (t) => {
    const { api, watch } = scene();
    const { version } = api.store;
    api.compact();
    t.strictSame(read(watch(`resourceVersion=${version}`)), []);
    api.store.advance();
    api.compact();
    t.strictSame(read(watch(`resourceVersion=${version}`)), ["ERROR 410"]);
  },
);
