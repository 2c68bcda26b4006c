import t from "tap";
import { Vanished } from "../../src/publish/absence.ts";
import type { Member, Present } from "../../src/publish/difference.ts";
import { member, present } from "./present.ts";

const HOUR_MS = 3_600_000;
const gone: Member = member("a", "10.0.0.1", "u1");
const runs: Partial<Present> = {
  endOf: (_, { uid }) => (uid === "u1" ? undefined : "vanished"),
  holders: () => ["u1"],
};

function explained(now: Partial<Present>, members: Member[] = [], vanished: Member = gone) {
  const memory = new Vanished();
  memory.note({ ...vanished, op: "remove", cause: "vanished" }, 0);
  return [...memory.explained(present(members, now), 1000)];
}

const SHOWN: [string, Partial<Present>, string][] = [
  ["its pod runs and is not selected", runs, "unselected"],
  ["its pod runs and its group is gone", { ...runs, groups: () => [] }, "undefined"],
  ["another pod has the address", { holders: () => ["u9"] }, "reused"],
  [
    "another pod has the address and its group is gone",
    { holders: () => ["u9"], groups: () => [] },
    "reused",
  ],
  ["its pod is listed with another address, or has finished", { endOf: () => "ended" }, "changed"],
];
for (const [what, now, cause] of SHOWN) {
  t.test(`of one that vanished the lists show that ${what}: ${cause}`, async (t) => {
    t.strictSame(explained(now), [{ ...gone, op: "remove", cause, again: true }]);
  });
}

t.test("of one that vanished nothing is told while no list shows more", async (t) => {
  t.strictSame(explained({}), []);
  t.strictSame(explained({ groups: () => [] }), [], "nor when its group went meanwhile");
  t.strictSame(explained(runs, [gone]), [], "nor when it is a member again");
});

t.test(
  "it is told once, and what was told otherwise meanwhile, or an hour ago, is not told again",
  async (t) => {
    const memory = new Vanished();
    const now = present([], runs);
    memory.note({ ...gone, op: "remove", cause: "vanished" }, 0);
    t.equal([...memory.explained(now, 1000)].length, 1);
    t.strictSame([...memory.explained(now, 2000)], []);
    for (const op of ["add", "remove"] as const) {
      memory.note({ ...gone, op: "remove", cause: "vanished" }, 0);
      memory.note({ ...gone, op, ...(op === "remove" && { cause: "ended" }) }, 10);
      t.strictSame([...memory.explained(now, 1000)], [], op);
    }
    memory.note({ ...gone, op: "remove", cause: "vanished" }, 0);
    t.strictSame([...memory.explained(present([]), HOUR_MS + 1)], []);
    t.strictSame([...memory.explained(now, HOUR_MS + 2)], []);
  },
);

t.test("the end of who turns out to be edited out is waited for", async (t) => {
  const recalled: unknown[] = [];
  explained({ ...runs, recall: (...what) => void recalled.push(what) });
  t.strictSame(recalled, [["a", "10.0.0.1", gone.owners, "unselected"]]);
});
