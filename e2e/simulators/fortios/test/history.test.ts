import fc from "fast-check";
import t from "tap";
import { checkpoint, edit, failover, reboot } from "../src/console.ts";
import { ADDRESS, Client, GROUP, names } from "./client.ts";

const members = (client: Client, group: string): unknown[] =>
  client.device.chronicle
    .memberships("root", group, "ipv4")
    .map(({ at, members: list }) => [at].concat(list as never));

t.test("every change of a group's addresses, in order, with its time and request", async (t) => {
  const client = new Client();
  const start = client.now;
  client.address("a", "10.0.0.1/32");
  client.address("b", "10.0.0.2/32");
  client.group("child", "a");
  client.now += 10;
  client.group("parent", "child");
  client.now += 10;
  client.done("POST", `${GROUP}/child/member`, { name: "b" });
  client.now += 10;
  client.done("PUT", `${GROUP}/child`, { comment: "no change" });
  client.done("PUT", `${ADDRESS}/b`, { subnet: "10.9.0.0/16" });
  client.now += 10;
  client.done("PUT", `${GROUP}/parent`, { member: names("none") });
  t.strictSame(members(client, "parent"), [
    [0],
    [start + 10, "10.0.0.1"],
    [start + 20, "10.0.0.1", "10.0.0.2"],
    [start + 30, "10.0.0.1", "10.9.0.0/16"],
    [start + 40],
  ]);
  const last = client.device.chronicle.entries().at(-1);
  t.match(last, {
    kind: "group",
    name: "parent",
    op: "update",
    added: ["none"],
    removed: ["child"],
    members: 1,
  });
  t.equal(last?.request, client.device.log.entries().at(-1)?.id);
});

t.test("a console edit, a rename and a deletion are in it", async (t) => {
  const client = new Client();
  client.address("a", "10.0.0.1/32");
  client.group("g", "a");
  edit(client.device, { method: "PUT", path: "firewall/addrgrp/g", body: { name: "h" } }, client.now);
  const entry = client.device.chronicle.entries().at(-1);
  t.match(entry, { request: 0, name: "h", renamedFrom: "g", op: "update" });
  client.done("DELETE", `${GROUP}/h`);
  t.match(client.device.chronicle.entries().at(-1), { op: "delete", name: "h", removed: ["a"] });
  t.equal(members(client, "h").length, 3, "not there, there, gone");
});

t.test("what a reboot without saving loses is in it", async (t) => {
  const client = new Client();
  client.address("a", "10.0.0.1/32");
  client.group("g", "a");
  const saved = checkpoint(client.device);
  client.address("b", "10.0.0.2/32");
  client.done("PUT", `${GROUP}/g`, { member: names("b") });
  client.now += 100;
  reboot(client.device, saved, client.now, 5000);
  t.strictSame(client.device.resolve("root", "g"), ["10.0.0.1"]);
  t.strictSame(members(client, "g").at(-1), [client.now, "10.0.0.1"]);
  t.equal(client.call("GET", ADDRESS), "cut", "nobody answers while it starts");
  client.now += 5000;
  t.equal(client.verdict("GET", `${ADDRESS}/b`), "404");
  client.done("PUT", `${GROUP}/g`, { member: [] });
  t.equal(checkpoint(client.device).vdom("root")?.rows("firewall.addrgrp").has("g"), true);
  t.strictSame(
    saved.vdom("root")?.rows("firewall.addrgrp").get("g")?.row["member"],
    names("a"),
    "the saved one stays as it was",
  );
  t.not(failover(client.device), "FGVM010000000001");
});

t.test("the log is told to who listens, filtered for who reads", async (t) => {
  const client = new Client({ vdoms: ["root", "dmz"], loggedBody: 100 });
  const seen: string[] = [];
  const stop = client.device.subscribe((entry) =>
    seen.push(`${entry.method} ${entry.path} ${String(entry.status)}`),
  );
  client.address("a");
  client.ask("GET", `${ADDRESS}/a?vdom=dmz&format=name`);
  client.ask("PUT", `${ADDRESS}/a`, { comment: "x".repeat(200) });
  client.ask("POST", ADDRESS, { name: "a" });
  stop();
  client.ask("GET", ADDRESS);
  t.strictSame(seen, [
    "POST cmdb/firewall/address 200",
    "GET cmdb/firewall/address/a 404",
    "PUT cmdb/firewall/address/a 200",
    "POST cmdb/firewall/address 500",
  ]);
  const ids = (filter: object): number[] => client.device.log.entries(filter).map(({ id }) => id);
  t.strictSame(ids({}), [1, 2, 3, 4, 5]);
  t.strictSame(ids({ writes: true }), [1, 3, 4]);
  t.strictSame(ids({ writes: true, offset: 1, limit: 1 }), [3]);
  t.strictSame(ids({ since: 3 }), [4, 5]);
  t.strictSame(ids({ changed: true }), [1, 3]);
  t.strictSame(ids({ vdom: "dmz" }), [2]);
  t.strictSame(ids({ status: 500 }), [4]);
  t.strictSame(ids({ methods: ["PUT"], path: "address" }), [3]);
  const [post, get, put, refused] = client.device.log.entries();
  t.match(post, {
    body: { name: "a" },
    token: "api",
    userAgent: "test",
    source: "192.0.2.1",
    at: client.now,
    error: 0,
  });
  t.match(get, { query: "vdom=dmz&format=name", vdom: "dmz", bodySize: 0 });
  t.notOk("body" in (get ?? {}));
  t.match(put, { bodySize: 214 });
  t.notOk("body" in (put ?? {}), "too large to be kept");
  t.match(refused, { error: -5, changed: false });
});

t.test("any run of writes: the history played forward is the present", async (t) => {
  const step = fc.record({
    what: fc.constantFrom(
      "address",
      "subnet",
      "group",
      "put",
      "post",
      "child",
      "rename",
      "renameAddress",
      "delete",
      "deleteAddress",
    ),
    group: fc.integer({ min: 0, max: 4 }),
    other: fc.integer({ min: 0, max: 4 }),
    address: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const client = new Client();
      for (const { what, group, other, address } of steps) {
        client.now += 1;
        const [g, h, a] = [`g${String(group)}`, `g${String(other)}`, `a${String(address)}`];
        const body = { member: names(a, h) };
        if (what === "address")
          client.ask("POST", ADDRESS, { name: a, subnet: `10.0.${String(address)}.1/32` });
        if (what === "subnet") client.ask("PUT", `${ADDRESS}/${a}`, { subnet: `10.${String(group)}.0.0/16` });
        if (what === "group") client.ask("POST", GROUP, { name: g, member: names(a) });
        if (what === "put") client.ask("PUT", `${GROUP}/${g}`, body);
        if (what === "post") client.ask("POST", `${GROUP}/${g}/member`, { name: a });
        if (what === "child") client.ask("DELETE", `${GROUP}/${g}/member/${a}`);
        if (what === "rename") client.ask("PUT", `${GROUP}/${g}`, { name: h });
        if (what === "renameAddress") client.ask("PUT", `${ADDRESS}/${a}`, { name: `a${String(other)}` });
        if (what === "delete") client.ask("DELETE", `${GROUP}/${g}`);
        if (what === "deleteAddress") client.ask("DELETE", `${ADDRESS}/${a}`);
      }
      for (let index = 0; index <= 4; index += 1) {
        const name = `g${String(index)}`;
        const played = client.device.chronicle.memberships("root", name, "ipv4").at(-1)?.members;
        if (JSON.stringify(played) !== JSON.stringify(client.device.resolve("root", name))) return false;
      }
      return referencesHold(client);
    }),
    { numRuns: 300 },
  );
  t.pass("300 runs");
});

/** The count of users that a device keeps is the count one finds by looking. */
function referencesHold(client: Client): boolean {
  const groups = client.rows(GROUP);
  return [ADDRESS, GROUP].every((table) =>
    client.rows(`${table}?with_meta=1`).every((row) => {
      const users = groups.filter((group) =>
        (group["member"] as { name: string }[]).some(({ name }) => name === row["name"]),
      );
      return row["q_ref"] === users.length;
    }),
  );
}
