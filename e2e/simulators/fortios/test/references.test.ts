import t from "tap";
import { ADDRESS, Client, GROUP, names } from "./client.ts";

const POLICY = "cmdb/firewall/policy";

t.test("what is used cannot be deleted, and the answer counts its users", async (t) => {
  const client = new Client();
  client.address("a");
  client.group("g", "a");
  client.group("h", "a", "g");
  client.done("POST", POLICY, { srcaddr: names("a", "g"), dstaddr: names("all") });
  const refused = client.ask("DELETE", `${ADDRESS}/a`);
  t.match(refused, {
    status: 500,
    body: { error: -23, cli_error: /^The entry is used by other 3 entries\n/ },
  });
  t.match(client.ask("DELETE", `${GROUP}/g`).body, { error: -23, cli_error: /used by other 2 entries/ });
  client.done("DELETE", `${POLICY}/1`);
  client.done("DELETE", `${GROUP}/h`);
  t.match(client.ask("DELETE", `${ADDRESS}/a`).body.cli_error, /used by other 1 entries/);
  client.done("PUT", `${GROUP}/g`, { member: names("none") });
  client.done("DELETE", `${ADDRESS}/a`);
});

t.test("an object that only one of two lists names stays in use", async (t) => {
  const client = new Client();
  client.address("a");
  client.address("b");
  client.done("POST", GROUP, {
    name: "g",
    member: names("a", "b"),
    exclude: "enable",
    "exclude-member": names("a"),
  });
  client.done("PUT", `${GROUP}/g`, { member: names("b") });
  t.equal(client.verdict("DELETE", `${ADDRESS}/a`), "500/-23");
  client.done("PUT", `${GROUP}/g`, { exclude: "disable", "exclude-member": [] });
  t.equal(client.verdict("DELETE", `${ADDRESS}/a`), "200");
});

t.test("a renamed object keeps its users", async (t) => {
  const client = new Client();
  client.address("a", "10.0.0.9/32");
  client.group("g", "a");
  client.group("h", "g");
  client.done("POST", POLICY, { srcaddr: names("a"), dstaddr: names("g") });
  t.match(client.done("PUT", `${ADDRESS}/a`, { name: "z" }), { mkey: "z", revision_changed: true });
  t.match(client.done("PUT", `${GROUP}/g`, { name: "y", comment: "new" }), { mkey: "y" });
  t.equal(client.verdict("GET", `${ADDRESS}/a`), "404");
  t.strictSame(client.device.group("root", "y")?.members, ["z"]);
  t.strictSame(client.device.resolve("root", "h"), ["10.0.0.9"]);
  t.match(client.rows(`${POLICY}/1`)[0], { srcaddr: [{ name: "z" }], dstaddr: [{ name: "y" }] });
  t.equal(client.verdict("DELETE", `${ADDRESS}/z`), "500/-23");
  t.equal(
    client.verdict("POST", ADDRESS, { name: "a", subnet: "10.0.0.1/32" }),
    "200",
    "the old name is free",
  );
});

t.test("renaming onto another's name", async (t) => {
  const client = new Client();
  client.address("a");
  client.address("b");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { name: "b" }), "500/-5");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { name: "" }), "500/-56");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { name: "a" }), "200");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { name: "x".repeat(80) }), "500/-1");
});

t.test("DELETE on a collection is refused, or purges what nobody uses", async (t) => {
  for (const path of [ADDRESS, `${ADDRESS}/`]) {
    const client = new Client();
    client.address("used");
    client.address("unused");
    client.group("g", "used");
    t.equal(client.verdict("DELETE", path), "405", "by default it fails loudly");
    t.ok(client.device.address("root", "unused"));
    client.device.switches = { ...client.device.switches, purge: "purge" };
    t.equal(client.verdict("DELETE", path), "200");
    t.equal(client.device.address("root", "unused"), undefined);
    t.ok(client.device.address("root", "used"));
    t.ok(client.device.address("root", "all"), "what is built in stays");
  }
});

t.test("methods that make no sense", async (t) => {
  const client = new Client();
  client.address("a");
  t.equal(client.verdict("PUT", ADDRESS, { name: "a" }), "405");
  t.equal(client.verdict("POST", `${ADDRESS}/a`, { name: "a" }), "404", "the key belongs into the body");
  t.equal(client.verdict("PATCH", `${ADDRESS}/a`), "405");
});

t.test("clone", async (t) => {
  const client = new Client();
  client.address("a", "10.0.0.7/32");
  t.equal(client.verdict("POST", `${ADDRESS}/a?action=clone&nkey=b`), "200");
  t.strictSame(client.device.address("root", "b")?.addresses, ["10.0.0.7"]);
  t.not(client.device.address("root", "b")?.row["uuid"], client.device.address("root", "a")?.row["uuid"]);
  t.equal(client.verdict("POST", `${ADDRESS}/a?action=clone&nkey=b`), "500/-5");
  t.equal(client.verdict("POST", `${ADDRESS}/nobody?action=clone&nkey=c`), "404");
});

t.test("policies are numbered, moved, and refuse what they cannot name", async (t) => {
  const client = new Client();
  const body = { srcaddr: names("all"), dstaddr: names("all") };
  for (const expected of [1, 2, 3]) t.equal(client.done("POST", POLICY, body).mkey, expected);
  const order = (): unknown[] => client.rows(POLICY).map((row) => row["policyid"]);
  client.done("PUT", `${POLICY}/1?action=move&after=2`);
  t.strictSame(order(), [2, 1, 3]);
  client.done("PUT", `${POLICY}/3?action=move&before=2`);
  t.strictSame(order(), [3, 2, 1]);
  t.equal(client.verdict("PUT", `${POLICY}/3?action=move&before=9`), "500/-3");
  t.equal(client.verdict("PUT", `${POLICY}/3?action=move`), "400/-10002");
  t.equal(client.verdict("POST", POLICY, { ...body, srcaddr: names("nobody") }), "500/-3");
});

t.test("switch: an empty group in a policy", async (t) => {
  for (const emptyGroupInPolicy of ["allowed", "refused"] as const) {
    const expected = emptyGroupInPolicy === "allowed" ? "200" : "500/-56";
    const client = new Client({ profile: "7.4", switches: { emptyGroupInPolicy } });
    client.done("POST", GROUP, { name: "empty" });
    client.group("full", "none");
    const body = { dstaddr: names("all") };
    t.equal(client.verdict("POST", POLICY, { ...body, srcaddr: names("empty") }), expected);
    client.done("POST", POLICY, { ...body, srcaddr: names("full") });
    t.equal(client.verdict("PUT", `${GROUP}/full`, { member: [] }), expected);
  }
});

t.test("object/usage names the users", async (t) => {
  const client = new Client();
  client.address("a");
  client.group("g", "a");
  const { results } = client.ask(
    "GET",
    "monitor/system/object/usage?q_path=firewall&q_name=address&mkey=a",
  ).body;
  t.match(results, { currently_using: [{ path: "firewall", name: "addrgrp", mkey: "g" }] });
});
