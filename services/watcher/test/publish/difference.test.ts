import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import type { Change } from "../../src/membership/change.ts";
import { Difference, type Member, type Present, type Stored } from "../../src/publish/difference.ts";
import { member, present } from "./present.ts";

const stored = (...members: Member[]): Stored[] =>
  members.map(({ group, address, owners, ownerCount, resourceVersion }) => {
    return { op: "add", group, address, owners: [...owners], ownerCount, resourceVersion };
  });

const toldBy = (made: Difference): Change[] => [...made.removals(), ...made.additions()];

function difference(rows: Stored[], now: Present): Change[] {
  const made = new Difference(now);
  for (const row of rows) made.take(row);
  return toldBy(made);
}

t.test("nothing to publish when the stream says what the cluster holds", async (t) => {
  const same = [member("a", "10.0.0.1", "u1"), member("b", "10.0.0.2", "u1", "u2")];
  t.strictSame(difference(stored(...same), present(same)), []);
});

t.test("what is new is added, and an address with other owners is published again", async (t) => {
  const changes = difference(
    stored(member("a", "10.0.0.1", "u1")),
    present([member("a", "10.0.0.1", "u2"), member("a", "10.0.0.2", "u3")]),
  );
  t.match(changes, [
    { op: "add", address: "10.0.0.1" },
    { op: "add", address: "10.0.0.2" },
  ]);
});

t.test("an address that moved leaves its old group first", async (t) => {
  const changes = difference(
    stored(member("a", "10.0.0.1", "u1")),
    present([member("b", "10.0.0.1", "u1")], { endOf: () => undefined }),
  );
  t.match(changes, [
    { op: "remove", group: "a", cause: "unselected" },
    { op: "add", group: "b" },
  ]);
});

const CAUSES: [string, Partial<Present>, string][] = [
  ["its definition is gone", { groups: () => [] }, "undefined"],
  ["somebody else holds the address", { holders: () => ["u9"] }, "reused"],
  [
    "its owner still has the address but is not selected",
    { endOf: () => undefined, holders: () => ["u1"] },
    "unselected",
  ],
  [
    "it was edited out, and another pod has the address beside its owner",
    { endOf: () => undefined, holders: () => ["u1", "u9"] },
    "unselected",
  ],
  ["its owner is listed with another address", { endOf: () => "changed" }, "changed"],
  ["its owner has finished", { endOf: () => "ended" }, "changed"],
  ["nobody knows the owner", {}, "vanished"],
];
for (const [what, rest, cause] of CAUSES) {
  t.test(`a member is absent because ${what}: ${cause}`, async (t) => {
    t.match(difference(stored(member("a", "10.0.0.1", "u1")), present([], rest)), [{ op: "remove", cause }]);
  });
}

t.test(
  "the end of some owners is not that of all: a node of more pods than are told of, or of one that is not listed",
  async (t) => {
    const shared = member("a", "10.0.0.1", "u1", "u2");
    for (const [row, listed] of [
      [shared, ["u1"]],
      [{ ...shared, ownerCount: 9 }, ["u1", "u2"]],
      [{ ...shared, owners: [], ownerCount: 0 }, []],
    ] as const) {
      const now = present([], {
        endOf: (_, { uid }) => (listed.some((each) => each === uid) ? "changed" : "vanished"),
      });
      t.match(difference(stored(row), now), [{ op: "remove", cause: "vanished" }]);
    }
  },
);

t.test("of a member whose owners are others now, each that the stream names may be missing", async (t) => {
  const missed: string[] = [];
  const miss: Present["miss"] = (group, address, { uid }) => void missed.push(`${group} ${address} ${uid}`);
  const rows = stored(member("a", "10.0.0.1", "u1", "u2"), member("a", "10.0.0.2", "u3"));
  difference(rows, present([member("a", "10.0.0.1", "u1"), member("a", "10.0.0.2", "u3")], { miss }));
  t.strictSame(missed, ["a 10.0.0.1 u1", "a 10.0.0.1 u2"]);
});

t.test("a tombstone in the stream asks for nothing", async (t) => {
  const [row] = stored(member("a", "10.0.0.1", "u1"));
  t.strictSame(row && difference([{ ...row, op: "remove" }], present([])), []);
});

t.test("what cannot be read is written again, and is no member for readers until then", async (t) => {
  const members = [member("a", "10.0.0.1", "u1")];
  const made = new Difference(present(members));
  for (const row of stored(...members)) made.take({ ...row, owners: [], ownerCount: 0, unreadable: true });
  t.match(toldBy(made), [{ op: "add", address: "10.0.0.1" }]);
  t.equal(made.table.members, 0);
});

t.test("what leaves after its row was read goes with the cause that was seen", async (t) => {
  const gone = member("a", "10.0.0.1", "u1");
  const members = [gone];
  const made = new Difference(present(members));
  for (const row of stored(gone)) made.take(row);
  members.pop();
  made.note([{ ...gone, op: "remove", cause: "ended" }]);
  t.match(toldBy(made), [{ op: "remove", cause: "ended", owners: gone.owners }]);
  t.equal(made.table.members, 1, "the stream still holds it");
});

t.test("what leaves before its row is read goes with the cause that was seen", async (t) => {
  const gone = member("a", "10.0.0.1", "u1");
  const made = new Difference(present([]));
  made.note([{ ...gone, op: "remove", cause: "ended" }]);
  for (const row of stored(gone)) made.take(row);
  t.match(toldBy(made), [{ op: "remove", cause: "ended" }]);
});

t.test("another owner while the rows are read is told", async (t) => {
  const members = [member("a", "10.0.0.1", "u1")];
  const made = new Difference(present(members));
  for (const row of stored(...members)) made.take(row);
  const other = member("a", "10.0.0.1", "u2");
  members[0] = other;
  made.note([{ ...other, op: "add" }]);
  t.match(toldBy(made), [{ op: "add", owners: other.owners }]);
});

t.test("one that leaves and comes back while the rows are read stays", async (t) => {
  const same = member("a", "10.0.0.1", "u1");
  const made = new Difference(present([same]));
  for (const row of stored(same)) made.take(row);
  made.note([{ ...same, op: "remove", cause: "changed" }]);
  made.note([{ ...same, op: "add" }]);
  t.notOk(toldBy(made).some(({ op }) => op === "remove"));
});

t.test("however rows and changes come mixed, what is told makes the stream what the cluster is", async () => {
  const members = fc.uniqueArray(
    fc
      .record({ n: fc.nat(5), owner: fc.constantFrom("u1", "u2") })
      .map(({ n, owner }) => member(n % 2 === 0 ? "a" : "b", `10.0.0.${n}`, owner)),
    { selector: ({ address }) => address },
  );
  const move = fc.record({
    before: fc.nat(6),
    n: fc.nat(5),
    owner: fc.constantFrom(undefined, "u1", "u2"),
  });
  fc.assert(
    fc.property(members, members, fc.array(move), (rows, start, moves) => {
      const now = [...start];
      const made = new Difference(present(now));
      const make = (n: number, owner: string): void => {
        const at = now.findIndex(({ address }) => address === `10.0.0.${n}`);
        const next = member(n % 2 === 0 ? "a" : "b", `10.0.0.${n}`, owner);
        now.splice(at < 0 ? now.length : at, at < 0 ? 0 : 1, next);
        made.note([{ ...next, op: "add" }]);
      };
      const drop = (n: number): void => {
        const [gone] = now.splice(
          now.findIndex(({ address }) => address === `10.0.0.${n}`),
          1,
        );
        if (gone) made.note([{ ...gone, op: "remove", cause: "ended" }]);
      };
      const play = (at: number): void => {
        for (const { n, owner } of moves.filter(({ before }) => before === at)) {
          if (owner !== undefined) make(n, owner);
          else if (now.some(({ address }) => address === `10.0.0.${n}`)) drop(n);
        }
      };
      const stream = new Map<string, readonly string[]>();
      for (const [at, row] of stored(...rows).entries()) {
        play(at);
        made.take(row);
        stream.set(row.address, uids(row));
      }
      for (let at = rows.length; at <= 6; at += 1) play(at);
      for (const change of toldBy(made)) {
        if (change.op === "add") stream.set(change.address, uids(change));
        else stream.delete(change.address);
      }
      deepEqual(Object.fromEntries(stream), Object.fromEntries(now.map((m) => [m.address, uids(m)])));
    }),
  );
});

const uids = ({ owners }: Pick<Member, "owners">): readonly string[] => owners.map(({ uid }) => uid);

t.test(
  "what an edit took out is recalled: of an earlier watcher by its tombstone, of this one by what it finds",
  async (t) => {
    const recalled: string[] = [];
    const now = present([], {
      endOf: () => undefined,
      recall: (group, address, owners, cause) =>
        recalled.push(`${cause} ${group} ${address} ${owners.map(({ uid }) => uid).join()}`),
    });
    const [row] = stored(member("a", "10.0.0.1", "u1"));
    difference(
      [{ ...(row as Stored), op: "remove", cause: "relabeled" }, ...stored(member("a", "10.0.0.2", "u2"))],
      now,
    );
    t.strictSame(recalled, ["relabeled a 10.0.0.1 u1", "unselected a 10.0.0.2 u2"]);
  },
);

t.test(
  "the end of a pod that an edit had taken out is told though it came while the stream was read",
  async (t) => {
    const [row] = stored(member("a", "10.0.0.1", "u1"));
    const made = new Difference(present([]));
    made.take({ ...(row as Stored), op: "remove", cause: "relabeled" });
    const end: Change = { ...member("a", "10.0.0.1", "u1"), op: "remove", cause: "ended", again: true };
    made.note([end]);
    t.strictSame(toldBy(made), [end]);
  },
);
