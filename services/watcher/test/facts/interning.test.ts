import t from "tap";
import { Interning } from "../../src/facts/interning.ts";

t.test("equal label sets become one object; different ones stay different", async (t) => {
  const interning = new Interning();
  const one = interning.labels({ a: "1", b: "2" });
  t.equal(interning.labels({ a: "1", b: "2" }), one);
  t.strictSame(interning.labels({ a: "1", b: "3" }), { a: "1", b: "3" });
  t.strictSame(interning.labels({ a: "1", b2: "" }), { a: "1", b2: "" });
  t.strictSame(interning.labels({}), {});
});

t.test("it stays right when there are more than it remembers", async (t) => {
  const interning = new Interning();
  const made = Array.from({ length: 20_000 }, (_, at) => interning.labels({ app: `a${at}` }));
  t.ok(made.every((labels, at) => labels["app"] === `a${at}`));
  t.strictSame(interning.labels({ app: "a0" }), { app: "a0" });
});
