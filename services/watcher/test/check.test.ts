import t from "tap";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { buckets, streamFor, TOPOLOGY_DEFAULTS } from "@podgate/shared/bus/topology";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import { checkKubernetes } from "../src/check-kubernetes.ts";
import { checkNats } from "../src/check-nats.ts";
import { exitCode, type Row } from "@podgate/shared/runtime/check-row";
import { check } from "../src/check.ts";
import { UserError } from "@podgate/shared/runtime/errors";
import { configurationSchema } from "../src/configuration.ts";
import {
  KubernetesError,
  type KubernetesRequest,
  type KubernetesResponse,
  type KubernetesTransport,
} from "../src/kubernetes/transport.ts";

const configuration = configurationSchema.parse({
  cluster: "east",
  nats: { servers: ["nats://127.0.0.1:4222"] },
});

/** An API server as far as the preflight asks it. */
class ApiServer implements KubernetesTransport {
  readonly denied = new Set<string>();
  readonly definitions = new Set(["clusteraddressgroups.podgate.dev", "addressgroups.podgate.dev"]);
  authenticated = true;
  /** Annotations of the watcher's Lease; undefined = there is none yet. */
  lease: Readonly<Record<string, string>> | undefined;

  async open({ path, body }: KubernetesRequest): Promise<KubernetesResponse> {
    if (!this.authenticated) return answer(401, { message: "Unauthorized" });
    if (path === "/version") return answer(200, { gitVersion: "v1.37.2" });
    if (path === "/api/v1/namespaces/kube-system") return answer(200, { metadata: { uid: "uid-1" } });
    if (path.includes("selfsubjectaccessreviews")) {
      const { spec } = JSON.parse(body ?? "{}") as {
        spec: { resourceAttributes: { resource: string; subresource?: string; verb: string } };
      };
      const { resource, subresource, verb } = spec.resourceAttributes;
      const right = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
      return answer(201, { status: { allowed: !this.denied.has(right) } });
    }
    if (path.includes("/leases/"))
      return this.lease === undefined
        ? answer(404, { message: "no lease" })
        : answer(200, { metadata: { annotations: this.lease }, spec: {} });
    const name = path.split("/").at(-1) ?? "";
    if (!this.definitions.has(name)) return answer(404, { message: `${name} not found` });
    return answer(200, { metadata: {}, status: { conditions: [{ type: "Established", status: "True" }] } });
  }

  rows = async (): Promise<Row[]> =>
    (await checkKubernetes(configuration, this, new AbortController().signal)).rows;
}

function answer(status: number, body: unknown): KubernetesResponse {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return {
    status,
    body: (async function* () {
      yield bytes;
    })(),
  };
}

const bad = (rows: readonly Row[]): Row[] => rows.filter(({ result }) => result === "failed");

t.test("a cluster that is right passes every check", async (t) => {
  const rows = await new ApiServer().rows();
  t.strictSame(bad(rows), []);
  t.match(rows[0], { found: "answers, version v1.37.2" });
});

t.test("what an operator asked of the watcher is told, and what ends it", async (t) => {
  const api = new ApiServer();
  api.lease = {};
  t.notOk((await api.rows()).some(({ check: name }) => name === "phase"));
  api.lease = { "podgate.dev/phase": "draining" };
  const row = (await api.rows()).find(({ check: name }) => name === "phase");
  t.match(row, { result: "warn", found: /draining was asked for/, fix: /podgate-watcher resume/ });
});

t.test("a missing right is named with its verb, and what grants it", async (t) => {
  const api = new ApiServer();
  api.denied.add("watch pods");
  api.denied.add("patch addressgroups/status");
  t.match(bad(await api.rows()), [
    { check: "list, watch pods", found: "denied: watch (core API)", fix: /podgate-watcher/ },
    { check: "patch addressgroups/status", found: "denied: patch (API group podgate.dev)" },
  ]);
});

t.test("a definition that is not installed is named with what installs it", async (t) => {
  const api = new ApiServer();
  api.definitions.delete("addressgroups.podgate.dev");
  t.match(bad(await api.rows()), [{ check: "addressgroups.podgate.dev", fix: /files\/crds/ }]);
});

t.test("credentials that are refused fail one check and skip what hangs on it", async (t) => {
  const api = new ApiServer();
  api.authenticated = false;
  const rows = await api.rows();
  t.match(bad(rows), [{ check: "API server", fix: /token or certificate/ }]);
  t.ok(rows.slice(1).every(({ result }) => result === "skipped"));
});

t.test("an API server that does not answer is told so, not that somebody gave up", async (t) => {
  const late = new AbortController();
  const checking = checkKubernetes(configuration, MUTE, late.signal);
  late.abort();
  const [row] = bad((await checking).rows);
  t.match(row, { check: "API server", found: "no answer in time", fix: /network/ });
});

/** It takes requests and is silent. */
const MUTE: KubernetesTransport = {
  open: ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new KubernetesError("aborted", "aborted")));
    }),
};

class Nats {
  readonly clock = new VirtualClock();
  readonly server = new MemoryBusServer({ clock: this.clock });
  readonly said: string[] = [];
  uid = "uid-1";

  async stream(): Promise<void> {
    const operator = this.server.connect("operator");
    await operator.createStream(streamFor("east", TOPOLOGY_DEFAULTS));
    for (const config of buckets()) await operator.createBucket(config);
  }

  async rows(): Promise<Row[]> {
    const bus = this.server.connect("watcher");
    let rows: Row[] | undefined;
    const { clock, uid: clusterUid, said } = this;
    const say = (line: string) => void said.push(line);
    const servers = ["nats://nats.example.com"];
    const given = { bus, clock, cluster: "east", clusterUid, troubles: [], servers, say };
    void checkNats(given).then((made) => (rows = made));
    await this.clock.run(20_000, () => rows !== undefined);
    return rows ?? [];
  }
}

t.test("a bus that is right passes every check, and nothing is stored", async (t) => {
  const nats = new Nats();
  await nats.stream();
  const rows = await nats.rows();
  t.equal(rows.length, 8);
  t.strictSame(bad(rows), []);
  t.equal(nats.server.info("PODGATE_east")?.messages, 0);
  t.strictSame(nats.said, []);
});

t.test("a stream that is missing says who creates it", async (t) => {
  const rows = await new Nats().rows();
  t.match(bad(rows), [{ check: "stream PODGATE_east", found: "does not exist", fix: /pusher/ }]);
});

t.test("a stream that is configured otherwise is reported field by field", async (t) => {
  const nats = new Nats();
  nats.server.create({ name: "PODGATE_east", subjects: ["podgate.members.east.>"], discard: "old" });
  t.match(bad(await nats.rows()), [
    { check: "stream PODGATE_east", found: /discard is "old", should be "new"/ },
  ]);
});

t.test("a NATS that is away is one failure", async (t) => {
  const nats = new Nats();
  nats.server.stop();
  t.match(bad(await nats.rows()), [{ check: "NATS", fix: /nats\.servers/ }]);
  t.strictSame(nats.said, ["waiting for NATS at nats://nats.example.com"]);
});

t.test("a user without rights is told so", async (t) => {
  const nats = new Nats();
  await nats.stream();
  nats.server.refuse("watcher");
  t.match(bad(await nats.rows()), [{ check: "stream PODGATE_east", found: /forbids/, fix: /NATS user/ }]);
});

t.test("faults of the configuration stand in the table, and nothing else is tried", async (t) => {
  const rows = await check(
    () => {
      throw new UserError("cluster: missing");
    },
    (line) => void t.fail(line),
  );
  t.match(bad(rows), [{ check: "configuration", found: "cluster: missing" }]);
  t.equal(exitCode(rows), 1);
});
