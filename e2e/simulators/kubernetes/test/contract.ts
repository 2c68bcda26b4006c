import t from "tap";
import { Client, type Access, type Obj } from "./client.ts";

/** An API server, simulated or real, with Podgate's custom resource definitions. */
export interface Environment {
  readonly access: Access;
  createNamespace(name: string): Promise<void>;
  /** A pod that nobody schedules; it carries the label `round` with the value given. */
  createPod(namespace: string, name: string, round: string): Promise<void>;
  relabelPod(namespace: string, name: string, round: string): Promise<void>;
  /** Gone when it resolves, or soon after. */
  deletePod(namespace: string, name: string): Promise<void>;
  /** Forgets the history, so that older versions can be neither watched nor paged. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

const GROUPS = "/apis/podgate.dev/v1alpha1/clusteraddressgroups";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/contract/leases";
const EVENTS = "/api/v1/namespaces/contract/events";

/** What the watcher relies on; every API server must pass it. @param skip why it cannot be run here */
export function kubernetesContract(
  name: string,
  start: () => Promise<Environment>,
  skip: string | false = false,
): void {
  let started: Promise<Environment> | undefined;
  let namespaces = 0;

  /** A namespace of its own for each test, so that they don't see one another. */
  const scene = async () => {
    started ??= start();
    const environment = await started;
    namespaces += 1;
    const namespace = namespaces === 1 ? "contract" : `contract-${String(namespaces)}`;
    await environment.createNamespace(namespace);
    const client = new Client(environment.access);
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const version = async (): Promise<string> =>
      (await client.call("GET", `${path}?limit=1`)).body.metadata.resourceVersion ?? "";
    const create = async (...names: readonly string[]): Promise<void> => {
      for (const each of names) await environment.createPod(namespace, each, "1");
    };
    return { environment, client, namespace, path, version, create };
  };

  t.teardown(async () => (await started)?.close());

  t.test(
    `${name}: a list holds every object in the order of names, with the version it is of`,
    { skip },
    async (t) => {
      const { client, path, create } = await scene();
      await create("b", "c", "a");
      const { status, body } = await client.call("GET", path);
      t.equal(status, 200);
      t.equal(body.kind, "PodList");
      t.match(body.metadata.resourceVersion, /^\d+$/);
      t.strictSame(namesOf(body), ["a", "b", "c"]);
      t.equal(body.metadata.continue ?? "", "");
    },
  );

  t.test(`${name}: pages of one list show one moment, whatever changes meanwhile`, { skip }, async (t) => {
    const { environment, client, namespace, path, create } = await scene();
    await create("a", "b", "c", "d", "e");
    const first = await client.call("GET", `${path}?limit=2`);
    t.strictSame(namesOf(first.body), ["a", "b"]);
    t.equal(first.body.metadata.remainingItemCount, 3);
    await environment.deletePod(namespace, "d");
    await create("bb", "f");
    const token = encodeURIComponent(first.body.metadata.continue ?? "");
    const second = await client.call("GET", `${path}?limit=2&continue=${token}`);
    const last = encodeURIComponent(second.body.metadata.continue ?? "");
    const third = await client.call("GET", `${path}?limit=2&continue=${last}`);
    t.strictSame([...namesOf(second.body), ...namesOf(third.body)], ["c", "d", "e"]);
    t.equal(third.body.metadata.continue ?? "", "");
    t.equal(third.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
  });

  t.test(
    `${name}: a watch tells what came after its version, and can be resumed at any event`,
    { skip },
    async (t) => {
      const { environment, client, namespace, path, version, create } = await scene();
      await create("old");
      const from = await version();
      await create("a");
      await environment.relabelPod(namespace, "a", "2");
      await environment.deletePod(namespace, "a");
      await create("b");
      const watch = await client.watch(path, { resourceVersion: from });
      const seen = await watch.until(({ object }) => object.metadata.name === "b");
      watch.close();
      const steps = seen.map(({ type, object }) => `${type} ${object.metadata.name ?? ""}`);
      t.equal(steps[0], "ADDED a");
      t.ok(steps.includes("MODIFIED a"));
      t.equal(steps.at(-2), "DELETED a");
      t.equal(steps.at(-1), "ADDED b");
      const versions = seen.map(({ object }) => BigInt(object.metadata.resourceVersion ?? "0"));
      t.ok(
        versions.every((each, at) => at === 0 || each > (versions[at - 1] ?? 0n)),
        "versions rise",
      );

      const resumed = await client.watch(path, {
        resourceVersion: seen[0]?.object.metadata.resourceVersion ?? "",
      });
      const again = await resumed.until(({ object }) => object.metadata.name === "b");
      resumed.close();
      t.strictSame(
        again.map(({ object }) => object.metadata.resourceVersion),
        seen.slice(1).map(({ object }) => object.metadata.resourceVersion),
      );
    },
  );

  t.test(
    `${name}: a deletion's event carries the last state and a version of its own`,
    { skip },
    async (t) => {
      const { environment, client, namespace, path, version, create } = await scene();
      await create("a");
      const from = await version();
      const [before] = (await client.call("GET", path)).body.items ?? [];
      await environment.deletePod(namespace, "a");
      const watch = await client.watch(path, { resourceVersion: from });
      const last = (await watch.until(({ type }) => type === "DELETED")).at(-1)?.object;
      watch.close();
      t.equal(last?.metadata.uid, before?.metadata.uid);
      t.equal(last?.metadata.labels?.["round"], "1");
      t.ok(BigInt(last?.metadata.resourceVersion ?? "0") > BigInt(before?.metadata.resourceVersion ?? "0"));
    },
  );

  t.test(
    `${name}: a watch ends by itself after timeoutSeconds, with a bookmark before`,
    { skip },
    async (t) => {
      const { client, path, version, create } = await scene();
      const from = await version();
      await create("a");
      const query = { resourceVersion: from, timeoutSeconds: "3", allowWatchBookmarks: "true" };
      const watch = await client.watch(path, query);
      const seen = await watch.rest();
      t.equal(seen[0]?.type, "ADDED");
      const [bookmark, ...more] = seen.slice(1);
      t.strictSame(more, []);
      if (bookmark === undefined) return;
      t.equal(bookmark.type, "BOOKMARK");
      t.equal(bookmark.object.kind, "Pod");
      t.notOk(bookmark.object.metadata.name);
      t.ok(BigInt(bookmark.object.metadata.resourceVersion ?? "0") >= BigInt(from));
    },
  );

  t.test(`${name}: without being asked for, no bookmark comes`, { skip }, async (t) => {
    const { client, path, version, create } = await scene();
    const from = await version();
    await create("a");
    const watch = await client.watch(path, { resourceVersion: from, timeoutSeconds: "3" });
    t.strictSame(
      (await watch.rest()).map(({ type }) => type),
      ["ADDED"],
    );
  });

  t.test(
    `${name}: a streamed list ends with a marked bookmark, and goes on as a watch`,
    { skip },
    async (t) => {
      const { client, path, create } = await scene();
      await create("b", "a");
      const watch = await client.watch(path, {
        sendInitialEvents: "true",
        resourceVersionMatch: "NotOlderThan",
        allowWatchBookmarks: "true",
      });
      t.equal(watch.status, 200);
      const seen = await watch.until(({ type }) => type === "BOOKMARK");
      t.strictSame(seen.map(({ type, object }) => `${type} ${object.metadata.name ?? ""}`).toSorted(), [
        "ADDED a",
        "ADDED b",
        "BOOKMARK ",
      ]);
      const end = seen.at(-1)?.object.metadata;
      t.equal(end?.annotations?.["k8s.io/initial-events-end"], "true");
      const versions = seen.map(({ object }) => BigInt(object.metadata.resourceVersion ?? "0"));
      t.ok(versions.every((each) => each <= BigInt(end?.resourceVersion ?? "0")));
      await create("c");
      const next = await watch.until(({ type }) => type !== "BOOKMARK");
      watch.close();
      t.equal(next.at(-1)?.object.metadata.name, "c");
    },
  );

  t.test(`${name}: a streamed list without its resourceVersionMatch is refused`, { skip }, async (t) => {
    const { client, path } = await scene();
    const { status, body } = await client.call("GET", `${path}?watch=1&sendInitialEvents=true`);
    t.equal(status, 422);
    t.equal(body.reason, "Invalid");
  });

  t.test(`${name}: a version that is no number is refused`, { skip }, async (t) => {
    const { client, path } = await scene();
    const { status } = await client.call("GET", `${path}?watch=1&resourceVersion=abc`);
    t.ok(status === 400 || status === 500, `HTTP ${String(status)}`);
  });

  t.test(
    `${name}: after compaction an old version gets 410 as an event inside HTTP 200`,
    { skip },
    async (t) => {
      const { environment, client, path, version, create } = await scene();
      const from = await version();
      await create("a", "b");
      await environment.compact();
      const watch = await client.watch(path, { resourceVersion: from });
      t.equal(watch.status, 200);
      const seen = await watch.rest();
      t.match(seen, [{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
      t.equal(seen.length, 1);
      const fresh = await client.watch(path, { resourceVersion: await version(), timeoutSeconds: "1" });
      t.strictSame(await fresh.rest(), [], "the newest version can still be watched");
    },
  );

  t.test(`${name}: after compaction the next page of a list gets 410`, { skip }, async (t) => {
    const { environment, client, path, create } = await scene();
    await create("a", "b", "c");
    const { body } = await client.call("GET", `${path}?limit=1`);
    await create("d");
    await environment.compact();
    const token = encodeURIComponent(body.metadata.continue ?? "");
    const { status, body: failure } = await client.call("GET", `${path}?limit=1&continue=${token}`);
    t.equal(status, 410);
    t.equal(failure.reason, "Expired");
  });

  t.test(
    `${name}: the status of a custom resource has a path of its own and no generation`,
    { skip },
    async (t) => {
      const { client, namespace } = await scene();
      const group = `status-${namespace}`;
      const made = await client.call("POST", GROUPS, {
        apiVersion: "podgate.dev/v1alpha1",
        kind: "ClusterAddressGroup",
        metadata: { name: group },
        spec: { podSelector: { matchLabels: { app: "web" } } },
        status: { members: 7 },
      });
      t.equal(made.status, 201);
      t.equal(made.body.metadata.generation, 1);
      t.equal(made.body.status, undefined, "a status in a POST is dropped");
      const patched = await client.patch(`${GROUPS}/${group}/status`, {
        status: { members: 3, observedGeneration: 1 },
      });
      t.equal(patched.status, 200);
      t.match(patched.body.status, { members: 3 });
      t.equal(patched.body.metadata.generation, 1);
      t.not(patched.body.metadata.resourceVersion, made.body.metadata.resourceVersion);
      const merged = await client.patch(`${GROUPS}/${group}/status`, { status: { members: 4 } });
      t.match(merged.body.status, { members: 4, observedGeneration: 1 }, "merged, not replaced");
      const same = await client.patch(`${GROUPS}/${group}/status`, { status: { members: 4 } });
      t.equal(
        same.body.metadata.resourceVersion,
        merged.body.metadata.resourceVersion,
        "no change, no version",
      );
      const spec = await client.patch(`${GROUPS}/${group}`, {
        spec: { podSelector: { matchLabels: { app: "api" } } },
        status: { members: 9 },
      });
      t.equal(spec.body.metadata.generation, 2);
      t.match(spec.body.status, { members: 4 }, "the main path does not write the status");
      const labelled = await client.patch(`${GROUPS}/${group}`, { metadata: { labels: { a: "b" } } });
      t.equal(labelled.body.metadata.generation, 2, "labels are no new generation");
      t.equal((await client.call("DELETE", `${GROUPS}/${group}`)).status, 200);
      t.equal((await client.call("GET", `${GROUPS}/${group}`)).status, 404);
    },
  );

  t.test(
    `${name}: a Lease is taken by one of two who write at once; the other gets 409`,
    { skip },
    async (t) => {
      const { client } = await scene();
      const made = await client.call("POST", LEASES, lease("a", {}));
      t.equal(made.status, 201);
      const twice = await client.call("POST", LEASES, lease("b", {}));
      t.strictSame([twice.status, twice.body.reason], [409, "AlreadyExists"]);
      const { resourceVersion } = made.body.metadata;
      const puts = await Promise.all(
        ["b", "c"].map((holder) => client.call("PUT", `${LEASES}/one`, lease(holder, { resourceVersion }))),
      );
      t.strictSame(
        puts.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 409],
      );
      t.equal(puts.find(({ status }) => status === 409)?.body.reason, "Conflict");
      const blind = await client.call("PUT", `${LEASES}/one`, lease("d", {}));
      t.strictSame([blind.status, blind.body.reason], [422, "Invalid"], "a write without a version");
      t.equal((await client.call("GET", `${LEASES}/none`)).status, 404);
    },
  );

  t.test(
    `${name}: an Event is stored; one in a namespace that does not exist is not`,
    { skip },
    async (t) => {
      const { client } = await scene();
      const made = await client.call("POST", EVENTS, event("contract"));
      t.equal(made.status, 201);
      t.match(made.body.metadata.name, /^podgate-.+/);
      const lost = await client.call("POST", "/api/v1/namespaces/nowhere/events", event("nowhere"));
      t.equal(lost.status, 404);
    },
  );

  t.test(
    `${name}: who one is and what one may do, the version, definitions, unknown paths`,
    { skip },
    async (t) => {
      const { environment, client } = await scene();
      const review = await client.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { verb: "list", resource: "pods" } },
      });
      t.strictSame([review.status, review.body.status?.["allowed"]], [201, true]);
      t.match((await client.call("GET", "/version")).body, { gitVersion: /^v1\.\d+\.\d+/ });
      const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
      const definition = await client.call("GET", `${crd}/clusteraddressgroups.podgate.dev`);
      t.equal(definition.status, 200);
      t.match(definition.body.spec, { group: "podgate.dev", scope: "Cluster" });
      t.equal((await client.call("GET", "/apis/podgate.dev/v1alpha1/nothings")).status, 404);
      t.equal((await client.call("GET", "/api/v1/namespaces/kube-system")).status, 200);
      const stranger = new Client({ url: environment.access.url, ca: environment.access.ca, token: "wrong" });
      t.equal((await stranger.call("GET", "/api/v1/pods")).status, 401);
    },
  );
}

const namesOf = ({ items = [] }: Obj): (string | undefined)[] => items.map(({ metadata }) => metadata.name);

const lease = (holder: string, metadata: object) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "one", namespace: "contract", ...metadata },
  spec: { holderIdentity: holder, leaseDurationSeconds: 10 },
});

const event = (namespace: string) => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { generateName: "podgate-", namespace },
  involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name: "a" },
  reason: "Refused",
  message: "a reason",
  type: "Warning",
});
