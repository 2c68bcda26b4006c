import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { edit } from "@podgate/fortios-simulator/console";
import { Device } from "@podgate/fortios-simulator/device";
import { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { Cluster } from "@podgate/kubernetes-simulator/cluster";
import t from "tap";
import { Oracle } from "../oracle/oracle.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BOUND_MS = 5000;
const A = "10.0.0.1";
const B = "10.0.0.2";

/** Clusters with one group, one device, and the judge; the test plays the product. */
class Court {
  now = 0;
  readonly violations: string[] = [];
  readonly exposures: number[] = [];
  readonly device = new Device();
  readonly clusters = new Map<string, Cluster>();
  readonly oracle: Oracle;

  constructor(...names: readonly string[]) {
    const apis = new Map<string, ApiServer>();
    for (const name of ["c1", ...names]) {
      const api = new ApiServer({ uidPrefix: name.padEnd(8, "0") });
      const cluster = new Cluster(api, { now: () => this.now, timer: () => () => undefined });
      cluster.applyGroup("", "web", { podSelector: { matchLabels: { app: "web" } } });
      apis.set(name, api);
      this.clusters.set(name, cluster);
    }
    this.write("POST", "address", { name: "printer", subnet: "192.0.2.7 255.255.255.255" });
    this.oracle = new Oracle({
      now: () => this.now,
      clusters: apis,
      targets: [{ name: "fw", device: this.device, vdom: "root", clusters: [...apis.keys()] }],
      boundMs: BOUND_MS,
      findings: {
        violation: (what) => this.violations.push(what),
        exposure: (ms) => this.exposures.push(ms),
      },
    });
  }

  get cluster(): Cluster {
    return this.of("c1");
  }

  of(name: string): Cluster {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) throw new Error(`no cluster ${name}`);
    return cluster;
  }

  pod(name: string, address: string, app = "web", cluster = this.cluster): void {
    cluster.createPod({ namespace: "default", name, labels: { app }, addresses: [address] });
  }

  /** As the product: the pod's address is in the group. */
  tell(name: string, address: string): void {
    const { uid } = this.cluster.pod("default", name);
    const body = { op: "add", cluster: "c1", group: "web", address, owners: [{ uid }] };
    this.oracle.stored("PODGATE_c1", {
      subject: "podgate.members.c1.web",
      data: new TextEncoder().encode(JSON.stringify(body)),
      sequence: 1,
    });
  }

  /** As the product: the addresses, the child that holds them, and the group that holds the child. */
  make(...addresses: readonly string[]): void {
    for (const address of addresses)
      this.write("POST", "address", { name: `pg.sim.${address}`, subnet: `${address} 255.255.255.255` });
    this.write("POST", "addrgrp", { name: "pg.sim.web.c1.0", member: named(addresses) });
    this.write("POST", "addrgrp", {
      name: "web",
      comment: "podgate sim",
      member: [{ name: "pg.sim.web.c1.0" }],
    });
  }

  hold(...addresses: readonly string[]): void {
    this.write("PUT", "addrgrp/pg.sim.web.c1.0", { member: named(addresses) });
  }

  write(method: "POST" | "PUT" | "DELETE", path: string, body: Readonly<Record<string, unknown>> = {}): void {
    this.edit(method, path, body, "product");
  }

  /** As an administrator. */
  edit(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body: Readonly<Record<string, unknown>>,
    by: "product" | "other" = "other",
  ): void {
    const { status } = edit(this.device, { method, path: `firewall/${path}`, body }, this.now);
    if (status !== 200) throw new Error(`${method} ${path}: ${String(status)}`);
    // Not there yet while the court is being set up.
    (this.oracle as Oracle | undefined)?.wrote(this.device, by);
  }

  pass(ms: number): void {
    this.now += ms;
    this.oracle.tick();
  }
}

const range = (net: string, many: number): string[] =>
  Array.from({ length: many }, (_, at) => `${net}.${String(at + 1)}`);

const named = (addresses: readonly string[]) => addresses.map((address) => ({ name: `pg.sim.${address}` }));

t.test("what is as it should be is not found fault with, on the way and at rest", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  t.same(court.oracle.differences(), ["fw: web lacks 10.0.0.1"]);
  court.make(A);
  t.same(court.oracle.differences(), []);
  court.pass(60_000);
  court.cluster.deletePod("default", "web-1");
  court.pass(100);
  court.hold();
  t.same(court.oracle.differences(), []);
  t.same(court.exposures, [100]);
  t.same(court.violations, []);
  t.end();
});

t.test("an address that never belonged to the group is wrong at once", (t) => {
  const court = new Court();
  court.pod("db-1", B, "db");
  court.make(B);
  t.same(court.violations, ["fw: web got 10.0.0.2, which never belonged there"]);
  t.end();
});

t.test("an address that stays longer than the bound after it was freed is wrong", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  court.make(A);
  court.cluster.deletePod("default", "web-1");
  court.pass(BOUND_MS);
  t.same(court.violations, []);
  court.pass(1000);
  t.same(court.violations, ["fw: web holds 10.0.0.1 6000 ms after it was freed"]);
  t.end();
});

t.test("while a fault lasts, and while it is recovered from, nobody is late", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  court.make(A);
  const over = court.oracle.health.fall();
  court.cluster.deletePod("default", "web-1");
  court.pass(60_000);
  over(10_000);
  court.pass(10_000 + BOUND_MS);
  t.same(court.violations, []);
  court.pass(1);
  t.match(court.violations, ["fw: web holds 10.0.0.1"]);
  t.end();
});

t.test("an address that belongs and is taken away is wrong", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  court.make(A);
  court.pass(60_000);
  court.hold();
  t.same(court.violations, ["fw: web lost 10.0.0.1, which belongs there"]);
  t.end();
});

t.test("a cluster that a person took out of use has nothing anywhere, until it is put back", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  court.make(A);
  court.pass(60_000);
  court.oracle.retire("c1", true);
  court.hold();
  t.same(court.violations, []);
  t.match(court.oracle.differences(), ["fw: pg.sim.web.c1.0 is left over", "fw: web is left over"]);
  court.oracle.retire("c1", false);
  t.same(court.oracle.differences(), ["fw: web lacks 10.0.0.1"]);
  t.end();
});

t.test("what still runs leaves a denied group only when a person has approved it", (t) => {
  const nobody = { podSelector: { matchLabels: { app: "none" } } };
  const court = new Court();
  court.oracle.guard("web");
  court.pod("web-1", A);
  court.pod("web-2", B);
  court.tell("web-1", A);
  court.tell("web-2", B);
  court.make(A, B);
  court.pass(1000);
  court.cluster.changePod("default", "web-1", { labels: { app: "db" } });
  court.hold(B);
  t.same(court.violations, [], "somebody relabeled that one");
  court.cluster.applyGroup("", "web", nobody);
  court.hold();
  t.match(court.violations, ["fw: web of c1 lost 10.0.0.2, which still runs and is blocked"]);

  const other = new Court();
  other.oracle.guard("web");
  other.pod("web-1", A);
  other.tell("web-1", A);
  other.make(A);
  other.cluster.applyGroup("", "web", nobody);
  other.oracle.approved("fw", "web", A);
  other.hold();
  t.same(other.violations, []);

  const untold = new Court();
  untold.oracle.guard("web");
  untold.pod("web-1", A);
  untold.make(A);
  untold.cluster.applyGroup("", "web", nobody);
  untold.hold();
  t.same(untold.violations, [], "the product had never heard of that pod");
  t.end();
});

t.test(
  "of two pods with one address, the one that a short list lacks seems to have lost it to the other",
  (t) => {
    for (const isLacking of [false, true]) {
      const court = new Court();
      court.pod("web-1", A);
      court.pod("web-2", B);
      court.pod("db-1", A, "db");
      court.make(A, B);
      court.pass(60_000);
      court.oracle.lack("c1", isLacking);
      court.hold(B);
      t.equal(court.violations.length, isLacking ? 0 : 1);
      court.hold();
      t.match(court.violations.at(-1), "fw: web lost 10.0.0.2, which belongs there");
    }
    t.end();
  },
);

t.test(
  "what an administrator put back into a child where it does not belong may leave until it is in its own",
  (t) => {
    const court = new Court();
    court.pod("web-1", A);
    court.make(A);
    court.pass(60_000);
    court.edit("PUT", "addrgrp/pg.sim.web.c1.0", { member: [] });
    court.pass(BOUND_MS);
    court.edit("PUT", "addrgrp/pg.sim.web.c1.0", { member: named([A]) });
    court.hold();
    t.same(court.violations, []);
    court.hold(A);
    court.pass(BOUND_MS + 1);
    court.hold();
    t.same(court.violations, ["fw: web lost 10.0.0.1, which belongs there"]);
    t.end();
  },
);

t.test("a node stays while lists lack it, unless another came since and made them as long as before", (t) => {
  for (const isLengthened of [false, true]) {
    const court = new Court();
    court.cluster.createNode("node-1", { internal: [A] });
    court.cluster.applyGroup("", "web", { podSelector: { matchLabels: { app: "web" } }, addresses: "Node" });
    court.cluster.createPod({
      namespace: "default",
      name: "web-1",
      labels: { app: "web" },
      nodeName: "node-1",
    });
    court.make(A);
    court.pass(60_000);
    court.oracle.lack("c1", true);
    if (isLengthened) court.cluster.createNode("node-2", { internal: [B] });
    court.hold();
    t.match(court.violations, isLengthened ? [] : ["fw: web lost 10.0.0.1, which belongs there"]);
    t.equal(court.violations.length, isLengthened ? 0 : 1);
  }
  t.end();
});

t.test("what leaves at once is weighed by the size of its cluster's part of the group", (t) => {
  for (const isReplaced of [true, false]) {
    const court = new Court("c2");
    court.oracle.guard("none");
    const old = range("10.1.0", 10);
    const others = range("10.2.0", 10);
    for (const address of old) court.pod(`web-${address}`, address);
    for (const address of others) court.pod(`web-${address}`, address, "web", court.of("c2"));
    court.make(...old, ...others);
    court.pass(60_000);
    court.of("c2").deleteGroup("", "web");
    for (const address of old)
      court.cluster.changePod("default", `web-${address}`, { labels: { app: "db" } });
    const fresh = range("10.3.0", isReplaced ? 10 : 2);
    for (const address of fresh) court.pod(`web-${address}`, address);
    court.hold(...others);
    t.match(court.violations, isReplaced ? [] : [/^fw: web of c1 lost \d+ of 10 at once that still run/]);
  }
  t.end();
});

t.test("members that a silent cluster gives up may go when something was wrong for so long", (t) => {
  for (const wrongMs of [30_000, 61_000]) {
    const court = new Court();
    court.oracle.lapses("web", 60_000);
    court.pod("web-1", A);
    court.make(A);
    court.pass(60_000);
    const over = court.oracle.health.fall();
    court.pass(wrongMs);
    court.hold();
    t.equal(court.violations.length, wrongMs < 60_000 ? 1 : 0, `${String(wrongMs)} ms`);
    over(0);
  }
  t.end();
});

t.test("a pod that is being deleted counts until its containers stop, and not for ever", (t) => {
  const court = new Court();
  court.pod("web-1", A);
  court.make(A);
  court.cluster.changePod("default", "web-1", { deletion: { at: 8000, graceSeconds: 8 } });
  court.pass(7000);
  t.same(court.oracle.differences(), []);
  court.pass(12_000);
  t.same(court.oracle.differences(), ["fw: web holds 10.0.0.1, which does not belong there"]);
  t.end();
});

t.test("whatever is somebody else's is not touched", (t) => {
  const court = new Court();
  court.write("PUT", "address/printer", { subnet: "192.0.2.8 255.255.255.255" });
  t.match(court.violations, [/not the product's was touched: firewall\.address printer/]);
  t.end();
});

t.test("nothing is left over: a child in no group, a group that nobody defines", (t) => {
  const court = new Court();
  court.make();
  court.cluster.deleteGroup("", "web");
  t.same(court.oracle.differences(), [
    "fw: pg.sim.web.c1.0 is left over: it is in no group that is defined",
    "fw: web is left over: no cluster defines it",
  ]);
  t.end();
});

t.test("the oracle shares no code with what it judges", (t) => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    const path = relative(ROOT, file);
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      const [, simulator, rest = ""] = /^@podgate\/(fortios|kubernetes)-simulator\/(.+)$/.exec(name) ?? [];
      if (name.startsWith(".")) visit(join(dirname(file), name));
      else if (simulator !== undefined) visit(join(ROOT, "e2e/simulators", simulator, "src", `${rest}.ts`));
      else t.notOk(name.startsWith("@podgate/"), `${path} imports ${name}`);
    }
  };
  for (const file of globSync(join(ROOT, "e2e/simulation/oracle/*.ts"))) visit(file);
  t.ok(seen.size > 10);
  for (const path of seen) t.match(path, /^e2e\/(?:simulation\/oracle|simulators\/[a-z]+\/src)\//);
  t.end();
});
