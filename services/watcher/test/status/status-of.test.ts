import t from "tap";
import type { TargetStatus } from "@podgate/shared/contract/status";
import { statusOf, type Condition, type PusherWord } from "../../src/status/status-of.ts";
import { definition, inStep, pusher, target } from "./facts.ts";

const conditionOf = (conditions: readonly Condition[], type: string): Condition | undefined =>
  conditions.find((condition) => condition.type === type);

const CASES: [string, TargetStatus[], PusherWord, Partial<Condition>][] = [
  ["no pusher has spoken", [], undefined, { status: "Unknown", reason: "NoPusher" }],
  ["no target has spoken", [], pusher(), { status: "Unknown", reason: "NotReported" }],
  [
    "the pusher has no route for it",
    [],
    pusher({ unrouted: { web: "no route names this group" } }),
    { status: "False", reason: "NotRouted", message: "no route names this group" },
  ],
  [
    "every target holds it",
    [target("fw-1", { web: inStep(2) }), target("fw-2", { web: inStep(2) })],
    pusher(),
    { status: "True", reason: "InSync" },
  ],
  [
    "one of two targets is behind",
    [
      target("fw-1", { web: inStep(2) }),
      target("fw-2", { web: { ...inStep(2), applied: 1, inSync: false } }),
    ],
    pusher(),
    { status: "False", reason: "Behind", message: "fw-2: 1 of 2 members" },
  ],
  [
    "a target says why it is behind",
    [target("fw-1", { web: { ...inStep(2), inSync: false, message: "the token was refused" } })],
    pusher(),
    { status: "False", reason: "Behind", message: "fw-1: the token was refused" },
  ],
  [
    "a target refused an address",
    [
      target("fw-1", {
        web: {
          ...inStep(2),
          inSync: false,
          refused: [{ address: "10.0.0.1", reason: "outside 10.1.0.0/16" }],
        },
      }),
    ],
    pusher(),
    { status: "False", reason: "Behind", message: "fw-1: refused: 10.0.0.1 (outside 10.1.0.0/16)" },
  ],
  [
    "the whole target fails",
    [target("fw-1", { web: { ...inStep(2), inSync: false } }, { error: "does not answer" })],
    pusher(),
    { status: "False", reason: "Behind", message: "fw-1: does not answer" },
  ],
  [
    "the whole target fails while addresses wait for it",
    [
      target(
        "fw-1",
        { web: { ...inStep(2), inSync: false, message: "1 addresses are to join" } },
        { error: "the token was refused" },
      ),
    ],
    pusher(),
    {
      status: "False",
      reason: "Behind",
      message: "fw-1: the token was refused; 1 addresses are to join",
    },
  ],
  [
    "a target does not answer any more",
    [target("fw-1", { web: inStep(2) }, { error: "does not answer" }), target("fw-2", { web: inStep(2) })],
    pusher(),
    {
      status: "Unknown",
      reason: "TargetFails",
      message: "in step when last seen, but fw-1: does not answer",
    },
  ],
  [
    "a target fails that does not have the group",
    [target("fw-1", { web: inStep(2) }), target("fw-2", {}, { error: "does not answer" })],
    pusher(),
    { status: "True", reason: "InSync" },
  ],
  [
    "the pusher does not renew its word",
    [target("fw-1", { web: inStep(2) })],
    "silent",
    { status: "Unknown", reason: "PusherSilent" },
  ],
  [
    "the cluster is not verified, so removals wait",
    [target("fw-1", { web: inStep(2) })],
    pusher({ verified: false, reason: "silent for 12 s" }),
    { status: "Unknown", reason: "NotVerified" },
  ],
];
for (const [what, targets, cluster, want] of CASES) {
  t.test(`InSync when ${what}: ${want.status} ${want.reason}`, async (t) => {
    const view = statusOf(definition("web"), undefined, 2, [], targets, cluster);
    t.match(conditionOf(view.conditions, "InSync"), { ...want, observedGeneration: 3 });
    t.match(conditionOf(view.conditions, "Accepted"), { status: "True" });
  });
}

for (const [asked, want] of [
  ["maintenance", { status: "Unknown", reason: "Maintenance" }],
  ["draining", { status: "False", reason: "Draining" }],
] as const) {
  t.test(`a cluster that is in ${asked} says so on every group, and what ends it`, async (t) => {
    const targets = [target("fw-1", { web: inStep(2) })];
    const view = statusOf(definition("web"), undefined, 2, [], targets, pusher(), asked);
    t.match(conditionOf(view.conditions, "InSync"), { ...want, message: /podgate-watcher resume/ });
  });
}

t.test("an invalid definition says everything that is wrong, and counts nothing", async (t) => {
  const fact = definition("web", { addresses: "Service", podSelector: { matchLabels: { "a b": "c" } } });
  const view = statusOf(fact, undefined, 7, [], [target("fw-1", { web: inStep(7) })], pusher());
  const accepted = conditionOf(view.conditions, "Accepted");
  t.match(accepted, { status: "False", reason: "Invalid" });
  t.match(accepted?.message, /spec\.addresses: "Service"/);
  t.match(accepted?.message, /"a b" is no label key/);
  t.match(conditionOf(view.conditions, "InSync"), { status: "False", reason: "Invalid" });
  t.match(view, { members: 0, targets: [] });
});

t.test("who lost a group to an older definition is told to whom", async (t) => {
  const winner = definition("first", { groupName: "web" }).definition;
  const fact = definition("web");
  if (winner === undefined || fact.definition === undefined) throw new Error("unusable definitions");
  const view = statusOf(fact, { definition: fact.definition, winner }, 7, [], [], pusher());
  t.match(conditionOf(view.conditions, "Accepted"), {
    status: "False",
    reason: "Conflict",
    message: "the group web is claimed by the older ClusterAddressGroup first",
  });
  t.equal(view.members, 0);
});

t.test(
  "a group that is named like a member of every JavaScript object is as unknown as any other",
  async (t) => {
    for (const name of ["constructor", "valueOf"]) {
      const view = statusOf(definition(name), undefined, 1, [], [target("fw-1", {})], pusher());
      t.strictSame(view.targets, []);
      t.match(conditionOf(view.conditions, "InSync"), { status: "Unknown", reason: "NotReported" });
    }
  },
);

t.test("targets are listed by name with what each holds", async (t) => {
  const targets = [target("fw-2", { web: inStep(2) }), target("fw-1", { web: inStep(2), other: inStep(1) })];
  const view = statusOf(definition("web"), undefined, 2, ["ops"], targets, pusher());
  t.strictSame(view.targets, [
    { name: "fw-1", firewallGroup: "web", desired: 2, applied: 2, inSync: true },
    { name: "fw-2", firewallGroup: "web", desired: 2, applied: 2, inSync: true },
  ]);
  t.strictSame(view.sharedNamespaces, ["ops"]);
});
