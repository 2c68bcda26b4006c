import fc from "fast-check";
import t from "tap";
import { clusterName, groupName } from "../../src/contract/names.ts";
import {
  decodeAddress,
  decodeToken,
  encodeToken,
  memberSubject,
  parseSubject,
  stateSubject,
} from "../../src/contract/subjects.ts";
import { address, group, label } from "./arbitraries.ts";

t.test("every legal cluster, group and address comes back from its subject", async (t) => {
  fc.assert(
    fc.property(label, group, address, (cluster, name, member) => {
      clusterName.parse(cluster);
      groupName.parse(name);
      const subject = memberSubject(cluster, name, member);
      // Printable, without wildcards, five tokens: what NATS takes as a subject to publish to.
      t.match(subject, /^podgate\.members(?:\.[A-Za-z0-9_-]+){3}$/);
      t.same(parseSubject(subject), { kind: "member", cluster, group: name, address: member });
      t.same(parseSubject(stateSubject(cluster)), { kind: "state", cluster });
    }),
    { numRuns: 1000 },
  );
});

t.test("two members never share a subject", async (t) => {
  fc.assert(
    fc.property(group, group, address, address, (g1, g2, a1, a2) => {
      const same = g1 === g2 && a1 === a2;
      return (memberSubject("c", g1, a1) === memberSubject("c", g2, a2)) === same;
    }),
  );
  t.pass("held");
});

t.test("any text survives a token, and a token has one spelling", async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const token = encodeToken(text);
      return /^[A-Za-z0-9_-]*$/.test(token) && decodeToken(token) === text;
    }),
  );
  for (const token of ["_", "_4", "_4g", "_2F", "_61", "a_ff", "a.b", "ä", "_c3"]) {
    t.throws(() => decodeToken(token), { name: "SubjectError" }, token);
  }
});

t.test("tokens that no canonical address makes are refused", async (t) => {
  for (const token of [
    "10-0-0",
    "10-0-0-01",
    "10-0-0-256",
    "2001-DB8--7",
    "2001-db8-0-0-0-0-0-7",
    "--",
    "0-0-0-0",
    "x",
    "",
    "--ffff-a00-1",
  ]) {
    t.throws(() => decodeAddress(token), { name: "SubjectError" }, token);
  }
});

t.test("what looks like IPv4 can not be IPv6", async (t) => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      if (a === b) return true;
      const [tokenA, tokenB] = [a, b].map((each) => memberSubject("c", "g", each).split(".")[4]);
      return tokenA !== tokenB;
    }),
  );
  t.equal(decodeAddress("1-2-3-4"), "1.2.3.4");
  t.equal(decodeAddress("1-2-3-4--"), "1:2:3:4::");
  t.equal(decodeAddress("--1-2-3-4"), "::1:2:3:4");
});

t.test("a subject of somebody else is refused", async (t) => {
  for (const subject of [
    "",
    "podgate",
    "podgate.members",
    "podgate.members.c",
    "podgate.members.c.g",
    "podgate.members.c.g.10-0-0-1.more",
    "podgate.clusters",
    "podgate.clusters.c.more",
    "other.members.c.g.10-0-0-1",
    "podgate.poke.c",
    "podgate.members..g.10-0-0-1",
    "podgate.members.c..10-0-0-1",
    "podgate.clusters.",
    "podgate.clusters.UPPER",
    "podgate.members.c.g.",
  ]) {
    t.throws(() => parseSubject(subject), { name: "SubjectError" }, subject);
  }
});
