import t from "tap";
import { ADDRESS_ACCESS } from "../src/access.ts";
import { Client, names } from "./client.ts";

const RESOURCE = "cmdb/system/external-resource";
const PUSH = "monitor/system/external-resource/dynamic";
const LIST = "monitor/system/external-resource/entry-list?mkey=feed";

function device(profile = "7.4"): Client {
  const client = new Client({ profile });
  client.done("POST", RESOURCE, { name: "feed", type: "address", "update-method": "push" });
  return client;
}

const push = (client: Client, command: string, ...entries: readonly string[]): unknown =>
  client.done("POST", PUSH, { commands: [{ name: "feed", command, entries }] }).results;
const listed = (client: Client): unknown =>
  (client.ask("GET", LIST).body.results as { entries: { entry: string }[] }).entries.map(
    ({ entry }) => entry,
  );

t.test("add, remove, snapshot; what is no address is named", async (t) => {
  const client = device();
  t.match(push(client, "add", "10.0.0.1", "10.0.0.2", "2001:db8::/64", "10.0.0.5-10.0.0.9"), [
    { name: "feed", command: "add", status: "success", invalidEntries: [] },
  ]);
  push(client, "remove", "10.0.0.2");
  t.strictSame(listed(client), ["10.0.0.1", "2001:db8::/64", "10.0.0.5-10.0.0.9"]);
  t.match(push(client, "snapshot", "10.1.0.1", "nonsense", "10.0.0.0/33"), [
    { invalidEntries: ["nonsense", "10.0.0.0/33"] },
  ]);
  t.strictSame(listed(client), ["10.1.0.1"]);
  const counts = client.ask("GET", `${LIST}&counts_only`).body.results;
  t.match(counts, { valid_count: 1, accepted_count: 1, accepted_limit: 300_000, overflow: false });
  t.notOk("entries" in (counts as object));
});

t.test("what is refused", async (t) => {
  const client = device();
  client.done("POST", RESOURCE, { name: "pulled", type: "address", resource: "https://x.example/list" });
  const results = client.done("POST", PUSH, {
    commands: ["nobody", "pulled"].map((name) => ({ name, command: "add", entries: ["10.0.0.1"] })),
  }).results;
  t.match(results, [{ status: "error" }, { status: "error" }]);
  t.equal(
    client.verdict("POST", PUSH, { commands: [{ name: "feed", command: "nonsense", entries: [] }] }),
    "400",
  );
  t.equal(client.verdict("POST", PUSH, {}), "400");
  t.equal(client.verdict("GET", "monitor/system/external-resource/entry-list?mkey=nobody"), "404");
  t.equal(client.verdict("POST", RESOURCE, { name: "x".repeat(36) }), "500/-1");
  t.equal(client.verdict("POST", RESOURCE, { name: "y", "refresh-rate": 0 }), "500/-650");
  client.device.setRights("api", ADDRESS_ACCESS);
  t.equal(client.verdict("POST", PUSH, { commands: [] }), "403");
});

const limit = (profile: string): unknown =>
  (device(profile).ask("GET", LIST).body.results as { accepted_limit: number }).accepted_limit;

t.test("push came with 7.2.1; limits by release", async (t) => {
  const old = new Client({ profile: "7.0" });
  old.done("POST", RESOURCE, { name: "feed", type: "address", "update-method": "push" });
  t.equal(old.verdict("POST", PUSH, { commands: [] }), "404");
  t.equal(limit("7.4.3"), 131_072);
  t.equal(limit("7.4.4"), 300_000);
});

t.test("a feed can be used in a policy, and then not be deleted", async (t) => {
  const client = device();
  client.done("POST", "cmdb/firewall/policy", { srcaddr: names("feed"), dstaddr: names("all") });
  t.equal(client.verdict("DELETE", `${RESOURCE}/feed`), "500/-23");
  t.equal(client.verdict("POST", "monitor/system/external-resource/refresh", { mkey: "feed" }), "200");
});
