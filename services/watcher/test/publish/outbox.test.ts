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
  outbox.put(add("a", "10.0.0.1"));
  outbox.put(add("a", "10.0.0.2"));
  outbox.put(add("a", "10.0.0.1"));
  t.equal(outbox.take()?.address, "10.0.0.2");
  t.equal(outbox.take()?.address, "10.0.0.1");
  t.equal(outbox.take(), undefined);
});

t.test("a member that came and went unpublished leaves no trace", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"));
  outbox.put(remove("a", "10.0.0.1"));
  t.equal(outbox.size, 0);
});

t.test("a published member is removed even when its owners changed unpublished before", async (t) => {
  const outbox = new Outbox();
  outbox.put(add("a", "10.0.0.1"));
  outbox.take();
  outbox.put(add("a", "10.0.0.1"));
  outbox.put(remove("a", "10.0.0.1"));
  t.match(outbox.take(), { op: "remove", cause: "ended" });
  t.equal(outbox.members, 0);
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
        for (const { op, group, address } of steps) {
          if (op === "take") consume(outbox.take());
          else {
            outbox.put(op === "add" ? add(group, address) : remove(group, address));
            truth[op === "add" ? "add" : "delete"](`${group} ${address}`);
          }
          if (outbox.members !== consumer.size || outbox.digest !== digest.toString())
            throw new Error("count or digest");
        }
        while (outbox.size > 0) consume(outbox.take());
        return consumer.size === truth.size && [...truth].every((key) => consumer.has(key));
      }),
    );
  },
);
