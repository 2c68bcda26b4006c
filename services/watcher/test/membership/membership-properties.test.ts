import fc from "fast-check";
import t from "tap";
import type { PodFact } from "../../src/facts/pod-fact.ts";
import type { Change } from "../../src/membership/change.ts";
import type { Membership } from "../../src/membership/membership.ts";
import { group, membership, namespace, node, pod } from "./scene.ts";

const DEFINITIONS = [
  group("web"),
  group("db", { podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] } }),
  group("hosts", { addresses: "node" }),
  group("prod", { podSelector: {}, namespaceSelector: { matchLabels: { env: "prod" } } }),
];

/** The rules once more, the slow way: everything anew from what there is, and what was given on before. */
class Oracle {
  readonly pods = new Map<string, PodFact>();
  readonly nodes = new Map<string, string>();
  env: string | undefined;
  /** The namespace is deleted when its last pod is gone. */
  isLeaving = false;
  names = DEFINITIONS.map((definition) => definition.group);
  readonly #givenOn = new Set<string>();

  /** group address → uids */
  members(): Map<string, Set<string>> {
    for (const key of this.#givenOn) if (!this.pods.has(key.split(" ")[0] ?? "")) this.#givenOn.delete(key);
    const all = [...this.pods.values()];
    const runs = all.filter((p) => !p.hostNetwork && !p.terminating && !p.finished);
    for (const p of all) {
      if (!p.terminating || p.hostNetwork) continue;
      for (const a of p.addresses)
        if (runs.some((other) => other.addresses.includes(a))) this.#givenOn.add(`${p.uid} ${a}`);
    }
    if (this.isLeaving && !all.some((p) => p.namespace === "shop")) {
      this.env = undefined;
      this.isLeaving = false;
    }
    const members = new Map<string, Set<string>>();
    for (const p of all) {
      if (p.finished || (p.terminating && (p.containersStopped || p.released))) continue;
      const own = p.addresses.filter(
        (a) => !p.hostNetwork && !(p.terminating && this.#givenOn.has(`${p.uid} ${a}`)),
      );
      const ip = this.nodes.get(p.nodeName);
      const app = p.labels["app"];
      const inProd = p.namespace === "shop" && this.env === "prod";
      const given: [string, boolean, readonly string[]][] = [
        ["web", app === "web", own],
        ["db", app !== "web", own],
        ["prod", inProd, own],
        ["hosts", app === "web", ip === undefined ? [] : [ip]],
      ];
      for (const [name, selected, addresses] of given) {
        if (!selected || !this.names.includes(name)) continue;
        for (const a of addresses) {
          const key = `${name} ${a}`;
          members.set(key, (members.get(key) ?? new Set()).add(p.uid));
        }
      }
    }
    return members;
  }
}

const fact = fc.record({
  uid: fc.constantFrom("u1", "u2", "u3", "u4"),
  labels: fc.constantFrom({ app: "web" }, { app: "db" }, {}),
  addresses: fc.constantFrom([], ["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1", "2001:db8::1"]),
  nodeName: fc.constantFrom("", "n1", "n2"),
  hostNetwork: fc.boolean(),
  finished: fc.boolean(),
  terminating: fc.boolean(),
  containersStopped: fc.boolean(),
  released: fc.boolean(),
});
const made = (of: Partial<PodFact> & { uid: string }): PodFact =>
  pod(of.uid, { ...of, namespace: of.uid === "u4" ? "bank" : "shop", graceSeconds: 30 });
const facts = fc.uniqueArray(fact, { selector: ({ uid }) => uid });
const nodes = fc.dictionary(fc.constantFrom("n1", "n2"), fc.constantFrom("192.168.0.1", "192.168.0.2"));
const env = fc.constantFrom("prod", "test");

type Operation = (m: Membership, oracle: Oracle) => Change[];

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fact.map((of): Operation => (m, oracle) => {
    oracle.pods.set(of.uid, made(of));
    return m.putPod(made(of), 0);
  }),
  fact.map(({ uid }): Operation => (m, oracle) => {
    oracle.pods.delete(uid);
    return m.removePod(uid);
  }),
  facts.map((all): Operation => (m, oracle) => {
    oracle.pods.clear();
    for (const of of all) oracle.pods.set(of.uid, made(of));
    return m.replacePods(all.map(made), 0);
  }),
  nodes.map((all): Operation => (m, oracle) => {
    oracle.nodes.clear();
    for (const [name, ip] of Object.entries(all)) oracle.nodes.set(name, ip);
    return m.replaceNodes(
      Object.entries(all).map(([name, ip]) => node(name, ip)),
      0,
    );
  }),
  fc
    .tuple(fc.constantFrom("n1", "n2"), fc.constantFrom("192.168.0.1", "192.168.0.2"))
    .map(([name, ip]): Operation => (m, oracle) => {
      oracle.nodes.set(name, ip);
      return m.putNode(node(name, ip), 0);
    }),
  fc.constantFrom("n1", "n2").map((name): Operation => (m, oracle) => {
    oracle.nodes.delete(name);
    return m.removeNode(`node-${name}`, 0);
  }),
  env.map((value): Operation => (m, oracle) => {
    oracle.env = value;
    oracle.isLeaving = false;
    return m.putNamespace(namespace("shop", { env: value }), 0);
  }),
  fc.constant<Operation>((m, oracle) => {
    oracle.isLeaving = true;
    m.removeNamespace("ns-shop");
    return [];
  }),
  fc.subarray(DEFINITIONS.map((definition) => definition.group)).map((names): Operation => (m, oracle) => {
    oracle.names = names;
    return m.setGroups(
      DEFINITIONS.filter((definition) => names.includes(definition.group)),
      0,
    );
  }),
);

const lines = (members: Iterable<readonly [string, Iterable<string>]>): string[] =>
  [...members].map(([key, uids]) => `${key} ${[...uids].toSorted().join()}`).toSorted();
const held = (m: Membership, isListed: (uid: string) => boolean = () => true): string[] =>
  lines(
    [...m.members()].map(({ group: name, address, owners }) => [
      `${name} ${address}`,
      owners.map(({ uid }) => uid).filter(isListed),
    ]),
  );

function requireSame(actual: readonly string[], expected: readonly string[], what: string): void {
  if (actual.join("\n") !== expected.join("\n"))
    throw new Error(`${what}: ${actual.join("; ")} is not ${expected.join("; ")}`);
}

function after(m: Membership, puts: readonly ((m: Membership) => void)[]): string[] {
  for (const put of puts) put(m);
  return held(m);
}

t.test("whatever happens, members and owners are those of the rules, and the changes tell them", async () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const m = membership(...DEFINITIONS);
      const oracle = new Oracle();
      const told = new Map<string, readonly string[]>();
      const left = new Set<string>();
      for (const run of operations) {
        let added = false;
        for (const change of run(m, oracle)) {
          const key = `${change.group} ${change.address}`;
          if (change.op === "add") {
            told.set(
              key,
              change.owners.map(({ uid }) => uid),
            );
            added = true;
          } else if (added) throw new Error(`remove of ${key} behind an add`);
          else if (change.again) {
            if (told.has(key) || !left.has(key)) throw new Error(`${key} had not left before`);
          } else if (told.delete(key)) left.add(key);
          else throw new Error(`remove of ${key}, which was no member`);
        }
        const expected = lines(oracle.members());
        // Owners of a node's address that a list lacked are told, too (missing.test.ts).
        const isListed = (uid: string): boolean => oracle.pods.has(uid);
        requireSame(held(m, isListed), expected, "members");
        requireSame(lines([...told].map(([key, uids]) => [key, uids.filter(isListed)])), expected, "told");
        if (m.count !== expected.length) throw new Error(`count ${m.count} of ${expected.length}`);
      }
    }),
    { numRuns: 3000 },
  );
});

t.test(
  "the last facts of each object, in any order, give the same members with the same owners",
  async () => {
    fc.assert(
      fc.property(
        fc.tuple(facts, nodes, env).chain(([all, ips, value]) => {
          const puts: ((m: Membership) => void)[] = [
            ...all.map((of) => (m: Membership) => void m.putPod(made(of), 0)),
            ...Object.entries(ips).map(
              ([name, ip]) =>
                (m: Membership) =>
                  void m.putNode(node(name, ip), 0),
            ),
            (m) => void m.putNamespace(namespace("shop", { env: value }), 0),
            (m) => void m.setGroups(DEFINITIONS, 0),
          ];
          const shuffled = fc.shuffledSubarray(puts, { minLength: puts.length });
          return fc.tuple(fc.constant(puts), shuffled, fc.subarray(puts));
        }),
        ([puts, shuffled, again]) => {
          requireSame(
            after(membership(), [...shuffled, ...again]),
            after(membership(), puts),
            "another order",
          );
        },
      ),
      { numRuns: 1500 },
    );
  },
);
