import fc from "fast-check";
import t from "tap";
import { Digest } from "@podgate/shared/contract/digest";
import type { Change } from "../../src/membership/change.ts";
import { Outbox } from "../../src/publish/outbox.ts";

const base = { owners: [], ownerCount: 1, resourceVersion: "1" };
const add = (group: string, address: string): Change => ({ ...base, op: "add", group, address });
const remove = (group: string, address: string): Change => ({
  ...base,
  op: "remove",
  group,
  address,
  cause: "ended",
});

t.test("changes leave in the order of their newest report", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.put(add("a", "10.0.0.2"), 0);
  outbox.put(add("a", "10.0.0.1"), 0);
  t.equal(outbox.take(0)?.change.address, "10.0.0.2");
  t.equal(outbox.take(0)?.change.address, "10.0.0.1");
  t.equal(outbox.take(0), undefined);
});

t.test("a member that came and went unpublished leaves no trace", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.put(remove("a", "10.0.0.1"), 0);
  t.equal(outbox.size, 0);
});

t.test("a published member that left and came back unpublished stays", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.take(0);
  outbox.put(remove("a", "10.0.0.1"), 100);
  outbox.put(add("a", "10.0.0.1"), 200);
  t.equal(outbox.size, 0);
  t.equal(outbox.take(200), undefined, "no removal");
  t.equal(outbox.take(10_000)?.change.op, "add", "only who owns it is told");
  t.equal(outbox.members, 1);
});

t.test("a published member is removed even when its owners changed unpublished before", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.take(0);
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.put(remove("a", "10.0.0.1"), 0);
  t.match(outbox.take(0)?.change, { op: "remove", cause: "ended" });
  t.equal(outbox.members, 0);
});

t.test("other owners of an address that stays are told a second later, all at once", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.take(0);
  outbox.put(add("a", "10.0.0.1"), 5000);
  outbox.put({ ...add("a", "10.0.0.1"), ownerCount: 3 }, 5900);
  t.equal(outbox.size, 0, "no member waits for the bus");
  t.equal(outbox.nextDeadline(), 6000);
  t.equal(outbox.take(5999), undefined);
  t.equal(outbox.take(6000)?.change.ownerCount, 3);
  t.equal(outbox.take(60_000), undefined);
});

t.test(
  "whatever is put and taken in between, the consumer ends with the last word on each member",
  async () => {
    const step = fc.record({
      op: fc.constantFrom("add", "remove", "take"),
      group: fc.constantFrom("a", "b"),
      address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3"),
    });
    fc.assert(
      fc.property(fc.array(step), (steps): boolean => {
        const outbox = new Outbox();
        const consumer = new Set<string>();
        const truth = new Set<string>();
        const digest = new Digest();
        const consume = (change: Change | undefined): void => {
          if (change === undefined) return;
          const key = `${change.group} ${change.address}`;
          if (change.op === "add") {
            if (!consumer.has(key)) digest.add(change.group, change.address);
            consumer.add(key);
          } else {
            if (!consumer.delete(key)) throw new Error(`removed twice: ${key}`);
            digest.remove(change.group, change.address);
          }
        };
        let now = 0;
        for (const { op, group, address } of steps) {
          now += 100;
          if (op === "take") consume(outbox.take(now)?.change);
          else {
            outbox.put(op === "add" ? add(group, address) : remove(group, address), now);
            truth[op === "add" ? "add" : "delete"](`${group} ${address}`);
          }
          if (outbox.members !== consumer.size || outbox.digest !== digest.toString())
            throw new Error("count or digest");
        }
        while (outbox.size > 0) consume(outbox.take(now)?.change);
        return consumer.size === truth.size && [...truth].every((key) => consumer.has(key));
      }),
    );
  },
);

t.test("the end of a pod that an edit had taken out is published, and counts no member", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"), 0);
  outbox.take(0);
  outbox.put({ ...remove("a", "10.0.0.1"), op: "remove", cause: "relabeled" }, 0);
  t.match(outbox.take(0)?.change, { op: "remove", cause: "relabeled" });
  outbox.put({ ...remove("a", "10.0.0.1"), op: "remove", cause: "ended", again: true }, 1);
  t.match(outbox.take(1)?.change, { op: "remove", cause: "ended" });
  t.equal(outbox.members, 0);
  outbox.put(remove("a", "10.0.0.1"), 2);
  t.equal(outbox.take(2), undefined, "another removal of what is no member says nothing");
});
