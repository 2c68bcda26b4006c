import fc from "fast-check";
import t from "tap";
import { KubernetesError } from "../stack/kubernetes-client.ts";
import { testSeed } from "../stack/seed.ts";
import { skip, stage } from "./scene.ts";

const on = stage(t);
const DEFINITIONS = 120;
const VERSION = "podgate.dev/v1alpha1";

const RIGHT = {
  podSelector: {
    matchLabels: { app: "fuzzed" },
    matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }],
  },
  namespaceSelector: { matchLabels: { team: "shop" } },
  groupName: "fuzzed group",
  addresses: "Node",
  nodeAddressType: "InternalIP",
};

const text = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "pg.e2e.10.0.0.1",
    "pg.e2e.good.a.0",
    "a/b",
    "*",
    "x".repeat(300),
    "\u0000",
    "<script>",
    "__proto__",
    "constructor",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const value = fc.oneof(
  text,
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 2 ** 53, [], {}, [[]], [null]),
  fc.dictionary(text, fc.oneof(text, fc.constant(null), fc.integer()), { maxKeys: 3 }),
);

const changed = (field: string, other: unknown): object => ({ ...RIGHT, [field]: other });
const selecting = (field: string, other: unknown): object =>
  changed("podSelector", { ...RIGHT.podSelector, [field]: other });
const requiring = (field: string, other: unknown): object =>
  selecting("matchExpressions", [{ ...RIGHT.podSelector.matchExpressions[0], [field]: other }]);

/** The spec with something else at one place. */
const spoiled: fc.Arbitrary<unknown> = fc.oneof(
  fc.tuple(fc.constantFrom(...Object.keys(RIGHT)), value).map(([field, other]) => changed(field, other)),
  fc
    .tuple(fc.constantFrom("matchLabels", "matchExpressions", "other"), value)
    .map(([field, other]) => selecting(field, other)),
  fc
    .tuple(fc.constantFrom("key", "operator", "values"), value)
    .map(([field, other]) => requiring(field, other)),
  value,
);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

t.test(
  "definitions of every kind: the API server refuses them, or the watcher says what is wrong, or they are groups",
  { skip },
  on(async (t, scene) => {
    const { plane, watcher } = scene.cluster();
    await scene.namespace("fuzzed", { labels: { team: "shop" } });
    await scene.group("good", { pods: { app: "good" } });
    await scene.deployment("fuzzed", "good", { replicas: 2 });
    await scene.untilEqual("good", { count: 2 });
    const seed = testSeed();
    t.comment(`seed ${seed}`);
    let refused = 0;
    for (const [at, spec] of fc.sample(spoiled, { seed, numRuns: DEFINITIONS }).entries()) {
      const metadata = { name: `fuzzed-${at}` };
      try {
        await plane.client.create({
          apiVersion: VERSION,
          kind: "ClusterAddressGroup",
          metadata,
          spec,
        });
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        t.ok(error.status === 422 || error.status === 400, `${error.status}: ${error.message.slice(0, 200)}`);
        refused += 1;
      }
    }
    t.ok(refused > DEFINITIONS / 4, `${refused} of ${DEFINITIONS} are refused by the schema`);
    let undecided: string[] = [];
    const decided = await scene.until(
      () => `a word on each: ${undecided.join(", ")}`,
      async () => {
        const all = await plane.client.list({ apiVersion: VERSION, kind: "ClusterAddressGroup" });
        const words = all.map((one) => {
          const { conditions = [] } = (one["status"] ?? {}) as { conditions?: readonly Condition[] };
          return { name: one.metadata.name, accepted: conditions.find(({ type }) => type === "Accepted") };
        });
        undecided = words.filter(({ accepted }) => accepted === undefined).map(({ name }) => name);
        return undecided.length === 0 ? words : undefined;
      },
      60_000,
    );
    for (const { name, accepted } of decided)
      if (accepted?.status === "False") t.match(accepted.message, /^\S.{10,}/, name);
    await scene.scale("fuzzed", "good", 3);
    await scene.untilEqual("good", { count: 3 });
    t.equal(watcher.running, true);
    t.notOk(
      watcher.output.some((line) => /^\s+at |\\n\s+at /.test(line)),
      "no stack in its log",
    );
    t.strictSame(scene.judge("good").wrong, []);
  }),
);
