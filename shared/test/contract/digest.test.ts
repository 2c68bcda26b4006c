import fc from "fast-check";
import t from "tap";
import { Digest } from "../../src/contract/digest.ts";
import { address, group } from "./arbitraries.ts";

const members = fc.uniqueArray(fc.tuple(group, address), {
  maxLength: 30,
  selector: ([g, a]) => `${g}\0${a}`,
});

function digestOf(list: readonly (readonly [string, string])[]): string {
  const digest = new Digest();
  for (const [name, member] of list) digest.add(name, member);
  return digest.toString();
}

const byText = (a: readonly string[], b: readonly string[]): number =>
  a.join("\0").localeCompare(b.join("\0"));

/** Some order, the same for the same seed. */
const byHash =
  (seed: number) =>
  (a: readonly string[], b: readonly string[]): number =>
    rank(a, seed) - rank(b, seed);

function rank(member: readonly string[], seed: number): number {
  let value = seed;
  for (const char of member.join("\0")) value = (Math.imul(value, 31) + (char.codePointAt(0) ?? 0)) | 0;
  return value;
}

t.test("the digest of a set does not depend on the order, nor on what came and went", async (t) => {
  fc.assert(
    fc.property(members, members, fc.integer(), (stay, come, seed) => {
      const passing = come.filter(([g, a]) => !stay.some(([sg, sa]) => sg === g && sa === a));
      const digest = new Digest();
      for (const [name, member] of [...stay, ...passing].toSorted(byHash(seed))) digest.add(name, member);
      for (const [name, member] of passing.toSorted(byHash(seed + 1))) digest.remove(name, member);
      return digest.toString() === digestOf(stay);
    }),
  );
  t.pass("held");
});

t.test("different sets have different digests", async (t) => {
  fc.assert(
    fc.property(members, members, (a, b) => {
      const key = (list: typeof a): string => JSON.stringify(list.toSorted(byText));
      return (digestOf(a) === digestOf(b)) === (key(a) === key(b));
    }),
  );
  t.pass("held");
});

t.test("a digest is 32 hex digits, all zero when empty, and fixed for ever", async (t) => {
  t.equal(digestOf([]), "0".repeat(32));
  const digest = new Digest();
  digest.remove("web", "10.0.0.1");
  t.match(digest.toString(), /^[0-9a-f]{32}$/);
  digest.add("web", "10.0.0.1");
  t.equal(digest.toString(), "0".repeat(32), "below zero and back");
  t.equal(
    digestOf([["web", "10.0.0.1"]]),
    "e8abadc957fab4386adfd130f8968c96",
    "first half of SHA-256 over 'web NUL 10.0.0.1'",
  );
});

t.test("the border between group and address counts", async (t) => {
  t.not(digestOf([["web1", "0.0.0.1"]]), digestOf([["web", "10.0.0.1"]]));
});
