import t from "tap";
import { seededRandom } from "@podgate/shared/runtime/random";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import { configurationSchema } from "../src/configuration.ts";
import {
  ADDRESS_GROUPS,
  CLUSTER_ADDRESS_GROUPS,
  NAMESPACES,
  NODES,
  PODS,
} from "../src/kubernetes/resources.ts";
import { readOnce } from "../src/read-once.ts";
import { ApiServer, CRDS, ESTABLISHED } from "./kubernetes/api-server.ts";

const configuration = configurationSchema.parse({
  cluster: "east",
  nats: { servers: ["nats://127.0.0.1:4222"] },
});

/** A person at a terminal. */
class Scene {
  readonly clock = new VirtualClock();
  readonly api = new ApiServer(this.clock);
  readonly said: string[] = [];
  answer: { readonly groups: readonly string[] } | { readonly fault: string } | undefined;

  constructor() {
    for (const path of [NODES, NAMESPACES, PODS, ADDRESS_GROUPS]) this.api.serve(path);
    for (const path of CRDS) this.api.single.set(path, ESTABLISHED);
    this.api.put(CLUSTER_ADDRESS_GROUPS, "web", { spec: { podSelector: {} } });
  }

  start(): void {
    const { api: transport, clock } = this;
    const ports = {
      transport,
      clock,
      random: seededRandom(1),
      say: (line: string) => void this.said.push(line),
    };
    void readOnce(configuration, ports, ({ membership }) => membership.groups()).then(
      (groups) => (this.answer = { groups }),
      (error: Error) => (this.answer = { fault: `${error.name}: ${error.message}` }),
    );
  }

  /** @returns milliseconds until there is an answer */
  async answered(): Promise<number> {
    const from = this.clock.now();
    await this.clock.run(60_000, () => this.answer !== undefined);
    return this.clock.now() - from;
  }
}

t.test("a cluster that answers is read, and nothing is said", async (t) => {
  const s = new Scene();
  s.start();
  await s.answered();
  t.strictSame(s.answer, { groups: ["web"] });
  t.strictSame(s.said, []);
});

t.test("a token that is refused ends it at once, told once", async (t) => {
  const s = new Scene();
  s.api.refuses = 401;
  s.start();
  t.ok((await s.answered()) < 1000);
  t.match(s.answer, {
    fault:
      /^UserError: the cluster cannot be read: podgate-watcher check .*\n {2}.*: HTTP 401: refused by the test$/,
  });
  t.strictSame(s.said, []);
});

t.test("rights that are missing end it at once, each told", async (t) => {
  const s = new Scene();
  s.api.refuses = 403;
  s.start();
  t.ok((await s.answered()) < 1000);
  const { fault } = s.answer as { readonly fault: string };
  for (const path of [NODES, NAMESPACES, PODS, ADDRESS_GROUPS, CLUSTER_ADDRESS_GROUPS])
    t.match(fault, `${path}: HTTP 403: refused by the test`);
});

t.test("a definition that is not installed ends it at once, while the rest can be read", async (t) => {
  const s = new Scene();
  s.api.stopServing(ADDRESS_GROUPS);
  s.start();
  t.ok((await s.answered()) < 1000);
  const { fault } = s.answer as { readonly fault: string };
  t.equal(fault.split("\n").length, 2);
  t.match(fault, `${ADDRESS_GROUPS}: HTTP 404`);
});

t.test("a server that is not reached is told at once, once, and tried again for half a minute", async (t) => {
  const s = new Scene();
  s.api.down = true;
  s.start();
  await s.clock.run(900);
  t.equal(s.said.length, 1);
  t.match(s.said[0], /^trying again for up to 30 s: .*ECONNREFUSED/);
  t.ok((await s.answered()) > 25_000);
  t.match(s.answer, {
    fault: /within 30 s \(namespaces: unreachable, nodes: unreachable, pods: unreachable/,
  });
});

t.test("a server that comes back is read", async (t) => {
  const s = new Scene();
  s.api.down = true;
  s.start();
  await s.clock.run(3000);
  s.api.down = false;
  t.ok((await s.answered()) < 10_000);
  t.strictSame(s.answer, { groups: ["web"] });
});

t.test("what a silent server is asked for is said after a second", async (t) => {
  const s = new Scene();
  s.api.mute = true;
  s.start();
  await s.clock.run(1000);
  t.strictSame(s.said, [
    "waiting for the API server: namespaces, nodes, pods, clusteraddressgroups, addressgroups",
  ]);
});
