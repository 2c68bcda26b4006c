import t from "tap";
import { GroupEvents, type GroupEvent } from "../../src/status/group-events.ts";
import { statusOf, type GroupStatusView } from "../../src/status/status-of.ts";
import { definition, inStep, pusher, target } from "./facts.ts";

const NONE: ReadonlyMap<string, string> = new Map();
const view = (inSync: boolean): GroupStatusView =>
  statusOf(
    definition("web"),
    undefined,
    1,
    [],
    [target("fw-1", { web: { ...inStep(1), inSync } })],
    pusher(),
  );
const words = (events: GroupEvent[]): string[] => events.map(({ type, reason }) => `${type} ${reason}`);

t.test("a group that is out of step for a round trip only is no Event", async (t) => {
  const events = new GroupEvents();
  t.strictSame(events.observe("u", view(false), NONE, 0), []);
  t.strictSame(events.observe("u", view(false), NONE, 29_000), []);
  t.strictSame(events.observe("u", view(true), NONE, 29_500), []);
  t.strictSame(events.observe("u", view(false), NONE, 40_000), [], "counted anew");
});

t.test("one that stays out of step is told once, and once that it is back", async (t) => {
  const events = new GroupEvents();
  const told = [0, 30_000, 35_000, 90_000].map((now) => words(events.observe("u", view(false), NONE, now)));
  t.strictSame(told, [[], ["Warning Behind"], [], []]);
  t.strictSame(words(events.observe("u", view(true), NONE, 95_000)), ["Normal InSync"]);
  t.strictSame(events.observe("u", view(true), NONE, 100_000), []);
});

t.test("an address that a target refuses is told at once, each once", async (t) => {
  const events = new GroupEvents();
  const one = new Map([["fw-1 10.0.0.1", "outside its CIDRs"]]);
  const two = new Map([...one, ["fw-1 10.0.0.2", "the name is taken"]]);
  t.match(events.observe("u", view(true), one, 0), [
    { type: "Warning", reason: "Refused", message: "fw-1 10.0.0.1: outside its CIDRs" },
  ]);
  t.match(events.observe("u", view(true), two, 1), [{ message: "fw-1 10.0.0.2: the name is taken" }]);
  t.strictSame(events.observe("u", view(true), two, 2), []);
});

t.test("a definition that is refused is told with its faults, and when it is in force again", async (t) => {
  const events = new GroupEvents();
  const broken = statusOf(definition("web", { addresses: "Service" }), undefined, 0, [], [], pusher());
  t.match(events.observe("u", broken, NONE, 0), [
    { type: "Warning", reason: "Invalid", message: /spec\.addresses/ },
  ]);
  t.strictSame(events.observe("u", broken, NONE, 60_000), []);
  t.strictSame(words(events.observe("u", view(true), NONE, 70_000)), ["Normal Accepted"]);
});
