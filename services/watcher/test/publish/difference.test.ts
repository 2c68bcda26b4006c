import t from "tap";
import type { Event, Owner } from "@podgate/shared/contract/event";
import { difference, memberKey, type Member, type Present } from "../../src/publish/difference.ts";

const pod = (uid: string): Owner => ({ kind: "Pod", namespace: "shop", name: uid, uid });
const member = (group: string, address: string, ...uids: string[]): Member => ({
  group,
  address,
  owners: uids.map(pod),
  ownerCount: uids.length,
  resourceVersion: "9",
});

function stored(...members: Member[]): Map<string, Event> {
  const epoch = { created: "2026-01-01T00:00:00Z", sequence: 1 };
  return new Map(
    members.map((m) => [
      memberKey(m.group, m.address),
      { v: 1, op: "add", cluster: "c", ...m, owners: [...m.owners], epoch, observedAt: 1 },
    ]),
  );
}

function present(members: Member[], rest: Partial<Present> = {}): Present {
  return {
    members: () => members,
    groups: () => ["a", "b"],
    lists: () => false,
    holders: () => [],
    ...rest,
  };
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
    present([member("b", "10.0.0.1", "u1")], { lists: () => true, holders: () => ["u1"] }),
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
    "the owner holds the address but is not selected",
    { lists: () => true, holders: () => ["u1"] },
    "unselected",
  ],
  ["the owner is listed with another address", { lists: () => true }, "changed"],
  ["nobody knows the owner", {}, "vanished"],
];
for (const [what, rest, cause] of CAUSES) {
  t.test(`a member is absent because ${what}: ${cause}`, async (t) => {
    t.match(difference(stored(member("a", "10.0.0.1", "u1")), present([], rest)), [{ op: "remove", cause }]);
  });
}

t.test("a tombstone in the stream asks for nothing", async (t) => {
  const table = stored(member("a", "10.0.0.1", "u1"));
  for (const [key, event] of table) table.set(key, { ...event, op: "remove", cause: "ended" });
  t.strictSame(difference(table, present([])), []);
});
