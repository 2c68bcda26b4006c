import t from "tap";
import {
  addressRows,
  contentOf,
  groupRows,
  holdsExactly,
  hostFields,
  prefixOf,
} from "../../../src/firewall/fortigate/wire/content.ts";

t.test("one spelling of a prefix", async (t) => {
  const cases: readonly [string, string | undefined][] = [
    ["10.0.0.1 255.255.255.255", "10.0.0.1/32"],
    ["10.0.0.1/32", "10.0.0.1/32"],
    ["10.0.0.1/255.255.255.255", "10.0.0.1/32"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["10.0.0.0 255.0.0.0", "10.0.0.0/8"],
    ["10.0.0.1 0.0.0.0", "10.0.0.1/0"],
    ["2001:DB8:0::1/128", "2001:db8::1/128"],
    ["2001:db8::1", "2001:db8::1/128"],
    ["2001:db8::/64", "2001:db8::/64"],
    ["10.0.0.1 255.0.255.0", undefined],
    ["10.0.0.1 256.0.0.0", undefined],
    ["10.0.0.1/33", undefined],
    ["10.0.0.1/x", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) t.equal(prefixOf(text), expected, text);
});

function row(fields: Record<string, unknown>) {
  const [first] = addressRows([{ name: "x", ...fields }]);
  if (first === undefined) throw new Error("no row");
  return first;
}

t.test("an object holds one address and nothing else, or it does not", async (t) => {
  const A = "10.0.0.1";
  const V6 = "2001:db8::1";
  t.ok(holdsExactly(row({ type: "ipmask", subnet: "10.0.0.1 255.255.255.255" }), A));
  t.ok(holdsExactly(row({ subnet: "10.0.0.1 255.255.255.255" }), A), "without type");
  t.ok(holdsExactly(row({ type: "ipprefix", ip6: "2001:DB8::1/128" }), V6));
  t.notOk(holdsExactly(row({ type: "ipmask", subnet: "10.0.0.0 255.0.0.0" }), A));
  t.notOk(holdsExactly(row({ type: "ipmask", subnet: "10.0.0.2 255.255.255.255" }), A));
  t.notOk(holdsExactly(row({ type: "iprange", subnet: "10.0.0.1 255.255.255.255" }), A), "the type counts");
  t.notOk(holdsExactly(row({ type: "ipprefix", ip6: "2001:db8::/64" }), V6));
  t.notOk(holdsExactly(row({ type: "fqdn" }), A));
  t.notOk(holdsExactly(row({}), A));
  t.equal(contentOf(row({ type: "ipmask", subnet: "10.0.0.0 255.0.0.0" })), "ipmask 10.0.0.0/8");
});

t.test("what is written is what counts as exact", async (t) => {
  for (const address of ["10.0.0.1", "2001:db8::1"]) {
    t.ok(holdsExactly(row({ ...hostFields(address) }), address), address);
  }
});

t.test(
  "rows without a name, groups with a member that has none, and replies without rows, are left out",
  async (t) => {
    t.strictSame(groupRows([{ name: "g", member: [{ name: "a", q_origin_key: "a" }] }, { x: 1 }, 3]), [
      { name: "g", comment: "", members: ["a"] },
    ]);
    for (const member of [[{ name: "a" }, {}], [null], "a", null])
      t.strictSame(
        groupRows([{ name: "g", member }]),
        member === null ? [{ name: "g", comment: "", members: [] }] : [],
      );
    for (const results of [undefined, null, {}, "x"]) t.strictSame(groupRows(results), []);
  },
);
