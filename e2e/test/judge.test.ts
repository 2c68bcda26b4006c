import t from "tap";
import { judge, type Membership, type PodObject, type Sighting } from "../scenarios/judge.ts";

const web = ({ metadata }: PodObject): boolean => metadata.labels?.["app"] === "web";

function pod(
  uid: string,
  ip: string | undefined,
  rest: Partial<PodObject["status"]> = {},
  labels = { app: "web" },
): PodObject {
  return {
    metadata: { name: uid, namespace: "shop", uid, labels },
    status: { phase: "Running", ...(ip === undefined ? {} : { podIPs: [{ ip }] }), ...rest },
  };
}
const seen = (at: number, object: PodObject, type: Sighting["type"] = "MODIFIED"): Sighting => ({
  at,
  type,
  object,
});
const on = (at: number, ...members: string[]): Membership => ({ at, members: new Set(members) });
const options = { boundMs: 500, slackMs: 0, until: 10_000 };

t.test("a member that comes and goes with its pod is right", async (t) => {
  const verdict = judge(
    "web",
    [seen(1000, pod("u", "10.0.0.1")), seen(5000, pod("u", "10.0.0.1"), "DELETED")],
    web,
    [on(1100, "10.0.0.1"), on(5200)],
    options,
  );
  t.strictSame(verdict, { wrong: [], lateRemovals: [200], lateAdditions: [100] });
});

const WRONG: [string, Sighting[], Membership[], RegExp][] = [
  ["an address no pod held", [], [on(1000, "10.0.0.9")], /no pod held it/],
  [
    "an address that stays",
    [seen(1000, pod("u", "10.0.0.1")), seen(2000, pod("u", "10.0.0.1"), "DELETED")],
    [on(1100, "10.0.0.1")],
    /stayed 8000 ms/,
  ],
  [
    "an address added after it was freed",
    [seen(1000, pod("u", "10.0.0.1")), seen(2000, pod("u", "10.0.0.1"), "DELETED")],
    [on(3000, "10.0.0.1"), on(3100)],
    /1000 ms after it was freed/,
  ],
  [
    "a removal while a pod holds it",
    [seen(1000, pod("u", "10.0.0.1"))],
    [on(1100, "10.0.0.1"), on(4000), on(4500, "10.0.0.1")],
    /while a pod held it/,
  ],
  [
    "a removal while a pod holds it, soon after it came",
    [seen(1000, pod("u", "10.0.0.1"))],
    [on(1100, "10.0.0.1"), on(1200), on(1300, "10.0.0.1")],
    /while a pod held it/,
  ],
  [
    "an address that stays from one pod to a much later one",
    [
      seen(1000, pod("u1", "10.0.0.1")),
      seen(2000, pod("u1", "10.0.0.1"), "DELETED"),
      seen(4000, pod("u2", "10.0.0.1")),
    ],
    [on(1100, "10.0.0.1")],
    /stayed 2000 ms/,
  ],
  [
    "an address that is taken away from its next pod and not given back",
    [
      seen(1000, pod("u1", "10.0.0.1")),
      seen(2000, pod("u1", "10.0.0.1"), "DELETED"),
      seen(2100, pod("u2", "10.0.0.1")),
    ],
    [on(1100, "10.0.0.1"), on(2200)],
    /was missing/,
  ],
  ["a missing address", [seen(1000, pod("u", "10.0.0.1"))], [], /was missing/],
  [
    "a completed pod that stays",
    [seen(1000, pod("u", "10.0.0.1")), seen(2000, pod("u", "10.0.0.1", { phase: "Succeeded" }))],
    [on(1100, "10.0.0.1")],
    /stayed/,
  ],
  [
    "a pod that lost its label",
    [seen(1000, pod("u", "10.0.0.1")), seen(2000, pod("u", "10.0.0.1", {}, { app: "db" }))],
    [on(1100, "10.0.0.1")],
    /stayed/,
  ],
];
for (const [what, sightings, history, expected] of WRONG) {
  t.test(`wrong: ${what}`, async (t) =>
    t.match(judge("web", sightings, web, history, options).wrong[0], expected),
  );
}

t.test("an address handed from one pod to the next may stay without a gap", async (t) => {
  const verdict = judge(
    "web",
    [
      seen(1000, pod("u1", "10.0.0.1")),
      seen(3000, pod("u1", "10.0.0.1"), "DELETED"),
      seen(3100, pod("u2", "10.0.0.1")),
    ],
    web,
    [on(1100, "10.0.0.1")],
    options,
  );
  t.strictSame(verdict.wrong, []);
});

t.test("an address may go and come again soon after it changed hands", async (t) => {
  const verdict = judge(
    "web",
    [
      seen(1000, pod("u1", "10.0.0.1")),
      seen(3000, pod("u1", "10.0.0.1"), "DELETED"),
      seen(3100, pod("u2", "10.0.0.1")),
    ],
    web,
    [on(1100, "10.0.0.1"), on(3150), on(3250, "10.0.0.1")],
    { ...options, slackMs: 1000 },
  );
  t.strictSame(verdict.wrong, []);
});

t.test("an address may come again a moment before the judge sees the pod that it was given to", async (t) => {
  const verdict = judge(
    "web",
    [
      seen(1000, pod("u1", "10.0.0.1")),
      seen(3000, pod("u1", "10.0.0.1"), "DELETED"),
      seen(8010, pod("u2", "10.0.0.1")),
    ],
    web,
    [on(1100, "10.0.0.1"), on(3100), on(8000, "10.0.0.1")],
    { ...options, slackMs: 1000 },
  );
  t.strictSame(verdict.wrong, []);
});

t.test("an administrator's own member is not judged", async (t) => {
  t.strictSame(
    judge("web", [], web, [on(0, "192.0.2.1")], { ...options, foreign: new Set(["192.0.2.1"]) }).wrong,
    [],
  );
});

const byOthers = (state: Membership): Membership => ({ ...state, byOthers: true });

t.test("what others take out or put in is not wrong while it lasts no longer than the bound", async (t) => {
  const pods = [seen(1000, pod("u", "10.0.0.1"))];
  const taken = [on(1100, "10.0.0.1"), byOthers(on(4000)), on(4300, "10.0.0.1")];
  t.strictSame(judge("web", pods, web, taken, options), {
    wrong: [],
    lateRemovals: [],
    lateAdditions: [300, 100],
  });
  const late = [on(1100, "10.0.0.1"), byOthers(on(4000)), on(4600, "10.0.0.1")];
  t.match(judge("web", pods, web, late, options).wrong, [/taken out by somebody .* not back in 500 ms/]);
  t.match(judge("web", pods, web, late.slice(0, 2), options).wrong, [/not back/]);
  const put = [byOthers(on(2000, "10.0.0.9")), on(2400)];
  t.strictSame(judge("web", [], web, put, options).wrong, []);
  t.match(judge("web", [], web, put.slice(0, 1), options).wrong, [/put in by somebody .* stayed 8000 ms/]);
});

t.test("how late an addition was is told also of one that did not last", async (t) => {
  const pods = [seen(1000, pod("u", "10.0.0.1")), seen(1400, pod("u", "10.0.0.1"), "DELETED")];
  const verdict = judge("web", pods, web, [on(1200, "10.0.0.1"), on(1500)], options);
  t.strictSame(verdict, { wrong: [], lateRemovals: [100], lateAdditions: [200] });
  const since = judge("web", pods, web, [on(1200, "10.0.0.1"), on(1500)], { ...options, since: 1300 });
  t.strictSame(since, { wrong: [], lateRemovals: [100], lateAdditions: [] }, "only what changed since then");
});

t.test("a firewall that lags behind pods that come and go quickly is late, not wrong", async (t) => {
  const pods = [
    seen(1000, pod("u1", "10.0.0.1")),
    seen(1480, pod("u1", "10.0.0.1"), "DELETED"),
    seen(1500, pod("u2", "10.0.0.1")),
  ];
  const lagging = [on(1650, "10.0.0.1"), on(2200), on(2240, "10.0.0.1")];
  t.strictSame(judge("web", pods, web, lagging, { ...options, boundMs: 2000 }).wrong, []);
  const flapping = [...lagging, on(2300), on(2350, "10.0.0.1")];
  t.match(
    judge("web", pods, web, flapping, { ...options, boundMs: 2000 }).wrong,
    [/removed at 1970-01-01T00:00:02.300Z while a pod held it/],
    "but it never goes back to what it knew before",
  );
});
