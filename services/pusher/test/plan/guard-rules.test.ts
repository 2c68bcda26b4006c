import t from "tap";
import { policyOf } from "../../src/desired/policy.ts";
import { absenceGuard } from "../../src/plan/guards/absence.ts";
import { isCounted, isSeen, type Candidate, type GroupView } from "../../src/plan/guards/candidate.ts";
import { CAUSES, type Cause } from "../../src/plan/guards/cause.ts";
import { denyGuard } from "../../src/plan/guards/deny.ts";
import { Gathering } from "../../src/plan/guards/gathering.ts";
import { heldSetOf, type HeldItem } from "../../src/plan/guards/held-set.ts";
import { lastMemberGuard } from "../../src/plan/guards/last-member.ts";
import { limitsGuard } from "../../src/plan/guards/limits.ts";
import { isMassRemoval } from "../../src/plan/guards/mass-removal.ts";
import { RemovalWindow } from "../../src/plan/guards/removal-window.ts";

const { mass } = policyOf([]);

/** A group that holds `size` IPv4 addresses, of which the leaving ones go, and should have `desired`. */
function view(size: number, leaving: readonly Candidate[], desired: number, deny = false): GroupView {
  return {
    key: "east web",
    cluster: "east",
    group: "web",
    policy: policyOf([], deny ? { polarity: "deny" } : {}),
    leaving: new Map(leaving.map((candidate, at) => [`10.0.0.${at}`, candidate])),
    sizes: { 4: size, 6: 0 },
    desired,
    desiredOf: (family) => (family === 4 ? desired : 0),
    standing: () => "member",
  };
}
const absent = (count: number): Candidate[] =>
  Array.from({ length: count }, () => ({ cause: "vanished", absent: true }));

t.test("a mass removal is more than a count and more than a share, each by itself is none", (t) => {
  const table: readonly [count: number, base: number, held: boolean][] = [
    [5, 5, false],
    [6, 6, true],
    [6, 30, false],
    [7, 30, true],
    [200, 1000, false],
    [201, 1000, true],
    [2, 3, false],
  ];
  for (const [count, base, held] of table)
    t.equal(isMassRemoval({ base, count }, mass), held, `${count} of ${base}`);
  t.end();
});

/** What the guard says of a group in which so many are absent and so many are desired. */
function absence(size: number, count: number, desired: number): string | undefined {
  const group = view(size, absent(count), desired);
  return absenceGuard(group, new Set(group.leaving.keys()));
}

t.test("absences that would leave nobody are held, however few; those of pods that were replaced go", (t) => {
  t.match(absence(1, 1, 0), /none would be left/);
  t.match(absence(3, 3, 0), /none would be left/);
  t.equal(absence(3, 2, 1), undefined);
  t.equal(absence(20, 20, 20), undefined, "as many came as went");
  t.match(absence(20, 10, 10), /shrink from 20 members to 10/);
  t.equal(absence(3, 0, 0), undefined);
  t.end();
});

const edit = (cause: Cause): Candidate => ({ cause });

t.test("an edit that leaves nobody is held, also if it takes a single one", (t) => {
  t.match(lastMemberGuard(view(1, [], 0), [edit("unselected")]), /without a member/);
  t.match(lastMemberGuard(view(2, [], 0), [edit("unselected"), edit("unrouted")]), /unrouted, unselected/);
  t.equal(lastMemberGuard(view(2, [], 1), [edit("unselected")]), undefined);
  t.equal(lastMemberGuard(view(2, [], 0), []), undefined);
  const policy = policyOf([{ holdLastMember: false }]);
  t.equal(lastMemberGuard({ ...view(1, [], 0), policy }, [edit("unselected")]), undefined);
  t.end();
});

t.test("an edit's removals are weighed by number, those that were seen to happen by nothing", (t) => {
  const seen = CAUSES.filter((cause) => isSeen({ cause }));
  t.same(seen, ["ended", "changed", "reused", "drained", "silent", "adopted", "forgotten"]);
  const counted = CAUSES.filter((cause) => isCounted({ cause }));
  t.same(counted, ["relabeled", "unselected", "undefined", "unrouted"]);
  t.end();
});

const of = (cause: Cause, deny = true): string | undefined => denyGuard(view(9, [], 9, deny), { cause });

t.test("from a deny group goes at once only what was seen to happen", (t) => {
  for (const cause of ["ended", "changed", "reused", "drained", "relabeled"] as const)
    t.equal(of(cause), undefined, cause);
  for (const cause of ["vanished", "unselected", "undefined", "unrouted"] as const) {
    t.match(of(cause), /opens the firewall/, cause);
    t.equal(of(cause, false), undefined, `${cause} from an allow group`);
  }
  t.end();
});

t.test("a window sums up what went in it, counts from what there was when it began, and forgets", (t) => {
  const window = new RemovalWindow();
  for (let at = 0; at < 4; at += 1) window.note(-1, 1, mass.windowMs, at * 60_000);
  t.same(window.look(16, mass.windowMs, 240_000), { base: 20, done: 4 });
  window.note(3, 0, mass.windowMs, 300_000);
  t.same(window.look(19, mass.windowMs, 330_000), { base: 20, done: 4 });
  t.same(window.look(19, mass.windowMs, 3_600_000), { base: 19, done: 0 });
  t.end();
});

t.test("an edit is decided when a quarter of a second brought nothing more, or after a second", (t) => {
  const gathering = new Gathering();
  t.equal(gathering.until, undefined);
  gathering.take("a", 1000);
  t.equal(gathering.until, 1250);
  gathering.take("b", 1200);
  t.equal(gathering.until, 1450);
  gathering.take("b", 1400);
  t.equal(gathering.until, 1450, "the same again is nothing new");
  for (let at = 1400; at < 2000; at += 100) gathering.take(`c${at}`, at);
  t.equal(gathering.until, 2000);
  t.end();
});

const item = (address: string, more: Partial<HeldItem> = {}): HeldItem => ({
  cluster: "east",
  group: "web",
  address,
  cause: "unselected",
  guard: "mass-removal",
  reason: "",
  ...more,
});

t.test("the hash of what is held is of these items on this target, in any order", (t) => {
  const [a, b] = [item("10.0.0.1"), item("10.0.0.2")];
  const { hash } = heldSetOf("fw1", [a, b]);
  t.equal(heldSetOf("fw1", [b, a]).hash, hash);
  t.equal(heldSetOf("fw1", [a, item("10.0.0.2", { reason: "other words" })]).hash, hash);
  for (const [target, items] of [
    ["fw2", [a, b]],
    ["fw1", [a]],
    ["fw1", [a, item("10.0.0.3")]],
    ["fw1", [a, item("10.0.0.2", { group: "db" })]],
    ["fw1", [a, item("10.0.0.2", { cluster: "west" })]],
  ] as const)
    t.not(heldSetOf(target, items).hash, hash);
  t.equal(heldSetOf("fw1", []).hash, "");
  t.end();
});

t.test("nothing is made where the table has no room; a limit that the device does not tell is none", (t) => {
  t.match(limitsGuard("address", 4, { has: 100, most: 100 }), /takes 100 IPv4 address objects/);
  t.equal(limitsGuard("address", 4, { has: 99, most: 100 }), undefined);
  t.equal(limitsGuard("group", 6, { has: 10_000, most: 0 }), undefined);
  t.end();
});
