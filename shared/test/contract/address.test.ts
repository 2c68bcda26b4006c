import fc from "fast-check";
import t from "tap";
import { canonicalAddress, familyOf, parseCidr } from "../../src/contract/address.ts";
import { address, spelled } from "./arbitraries.ts";

t.test("an address has one spelling", async (t) => {
  for (const [text, canonical] of [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["2001:DB8:0:0:0:0:0:7", "2001:db8::7"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0001", "2001:db8::1"],
    ["2001:db8:1:2:3:4:0:8", "2001:db8:1:2:3:4:0:8"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::1", "::1"],
  ] as const) {
    t.equal(canonicalAddress(text), canonical, text);
  }
});

t.test("what two parties could read differently is refused", async (t) => {
  for (const text of [
    "",
    "10.0.0",
    "10.1",
    "167772161",
    "0x0a000001",
    "010.0.0.1",
    "10.0.0.01",
    "10.0.0.256",
    "10.0.0.1.1",
    "10.0.0.1/32",
    " 10.0.0.1",
    "10.0.0.1 ",
    "10.0.0.1\n",
    "٣.0.0.1",
    "0.0.0.0",
    "::",
    "::ffff:0.0.0.0",
    "::ffff:010.0.0.1",
    "fe80::1%eth0",
    "[::1]",
    "1::2::3",
    "2001:db8::12345",
    "2001:db8:1:2:3:4:5:6:7",
    "::ffff:1.2.3",
    "2001:db8::7/64",
    "localhost",
  ]) {
    t.throws(() => canonicalAddress(text), { name: "AddressError" }, JSON.stringify(text));
  }
});

t.test("the canonical spelling of any spelling is its own canonical spelling", async (t) => {
  fc.assert(
    fc.property(spelled, (text) => {
      const canonical = canonicalAddress(text);
      return canonicalAddress(canonical) === canonical && canonicalAddress(text.toUpperCase()) === canonical;
    }),
  );
  t.pass("held");
});

t.test("two canonical addresses are the same text exactly when they are the same number", async (t) => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const within = parseCidr(a).contains(b);
      return within === (a === b);
    }),
  );
  t.pass("held");
});

t.test("a range contains what its prefix says, of its own family only", async (t) => {
  const ten = parseCidr("10.0.0.0/8");
  t.ok(ten.contains("10.255.0.1"));
  t.notOk(ten.contains("11.0.0.1"));
  t.notOk(ten.contains("::1"));
  t.notOk(ten.contains("a00::1"));
  const documentation = parseCidr("2001:db8::/32");
  t.ok(documentation.contains("2001:db8:ffff::1"));
  t.notOk(documentation.contains("2001:db9::1"));
  t.ok(parseCidr("0.0.0.0/0").contains("192.0.2.1"));
  t.notOk(parseCidr("0.0.0.0/0").contains("2001:db8::1"));
  t.ok(parseCidr("::/0").contains("2001:db8::1"));
  t.notOk(parseCidr("::/0").contains("192.0.2.1"));
  for (const text of [
    "",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "::/129",
    "10.0.0.0/-1",
    "/8",
    "256.0.0.0/8",
  ]) {
    t.throws(() => parseCidr(text), { name: "AddressError" }, JSON.stringify(text));
  }
  t.equal(familyOf("10.0.0.1"), 4);
  t.equal(familyOf("2001:db8::1"), 6);
});
