import t from "tap";
import { edit } from "../src/console.ts";
import { ADDRESS, Client, GROUP } from "./client.ts";

t.test("faults before: nothing is done; after: it is done, but the client does not learn it", async (t) => {
  const cases = [
    ["status-before", { status: 503 }, 503, false],
    ["status-before", { status: 429 }, 429, false],
    ["reset-before", {}, "cut", false],
    ["status-after", { status: 502 }, 502, true],
    ["reset-after", {}, "cut", true],
    ["reply-lost", {}, "hang", true],
  ] as const;
  for (const [kind, more, expected, isDone] of cases) {
    const client = new Client();
    client.device.faults.add({ kind, ...more });
    const reply = client.call("POST", ADDRESS, { name: "a", subnet: "10.0.0.1/32" });
    t.equal(typeof reply === "string" ? reply : reply.status, expected, kind);
    if (typeof reply !== "string") t.match(reply.headers["content-type"], "text/html", "a page, not JSON");
    t.equal(client.device.address("root", "a") !== undefined, isDone, `${kind}: done`);
    const [entry] = client.device.log.entries();
    t.match(entry, { faults: [kind], changed: isDone, method: "POST" });
    t.equal(client.verdict("GET", `${ADDRESS}/a`), isDone ? "200" : "404", "it is over");
  }
});

t.test("which requests a fault strikes, and how many", async (t) => {
  const client = new Client({ vdoms: ["root", "dmz"] });
  client.address("a");
  client.group("g", "a");
  const status = (method: string, path: string): number => client.ask(method, path, {}).status;
  client.device.faults.add({
    kind: "status-before",
    methods: ["PUT"],
    path: "addrgrp/g",
    vdom: "dmz",
    times: 2,
    after: 1,
  });
  t.equal(status("GET", `${GROUP}/g?vdom=dmz`), 404, "another method");
  t.equal(status("PUT", `${GROUP}/h?vdom=dmz`), 404, "another path");
  t.equal(status("PUT", `${GROUP}/g?vdom=root`), 200, "another VDOM");
  const put = (): number => status("PUT", `${GROUP}/g?vdom=dmz`);
  t.strictSame([put(), put(), put(), put()], [404, 503, 503, 404], "one passes, two are struck");
});

t.test("a fault without end, until it is cleared", async (t) => {
  const client = new Client();
  const id = client.device.faults.add({ kind: "status-before", times: 0 });
  for (const _ of [1, 2, 3]) t.equal(client.ask("GET", ADDRESS).status, 503);
  t.match(client.device.faults.list(), [{ id, struck: 3, kind: "status-before" }]);
  client.device.faults.clear(id);
  t.equal(client.ask("GET", ADDRESS).status, 200);
});

t.test("refuse: any code", async (t) => {
  const client = new Client();
  client.device.faults.add({ kind: "refuse" });
  t.equal(client.verdict("POST", ADDRESS, { name: "a" }), "500/-361");
  client.device.faults.add({ kind: "refuse", code: -14, status: 403 });
  t.equal(client.verdict("POST", ADDRESS, { name: "a" }), "403/-14");
});

t.test("not-found: an object is not seen shortly after it was made", async (t) => {
  const client = new Client();
  client.device.faults.add({ kind: "not-found", ms: 1000, times: 0 });
  client.address("a");
  t.equal(client.verdict("GET", `${ADDRESS}/a`), "404");
  t.equal(client.verdict("GET", `${ADDRESS}/all`), "200", "an old one is");
  t.equal(client.verdict("POST", ADDRESS, { name: "a" }), "500/-5", "it is there all the same");
  client.now += 1000;
  t.equal(client.verdict("GET", `${ADDRESS}/a`), "200");
});

t.test("empty-results, extra-fields, table-full", async (t) => {
  const client = new Client();
  client.address("a");
  client.device.faults.add({ kind: "empty-results" });
  const { body } = client.ask("GET", ADDRESS);
  t.match(body, { results: [], status: "success" });
  t.ok(Number(body["matched_count"]) > 0, "it counts what it does not show");
  client.device.faults.add({ kind: "extra-fields", times: 2 });
  t.match(client.rows(`${ADDRESS}/a`)[0], { "custom-tags": [], name: "a" });
  t.match(client.rows(ADDRESS)[0], { "custom-tags": [] });
  client.device.faults.add({ kind: "table-full", times: 0, path: "address" });
  t.equal(client.verdict("POST", ADDRESS, { name: "b" }), "500/-4");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { comment: "x" }), "200");
});

t.test("slow, and latency: how long a request is held", async (t) => {
  const client = new Client({ latency: { write: 50, read: 5, writePerThousandRows: 1000 } });
  const hold = (method: string, path: string): number => {
    const request = {
      method,
      url: `/api/v2/${path}`,
      headers: client.headers,
      body: "{}",
      source: "192.0.2.1",
    };
    return client.device.admit(request, client.now).hold;
  };
  t.equal(hold("GET", ADDRESS), 5);
  const rows = client.rows(ADDRESS).length;
  t.equal(hold("POST", ADDRESS), 50 + rows, "dearer as the table grows");
  client.address("a");
  t.equal(hold("POST", ADDRESS), 51 + rows);
  client.device.faults.add({ kind: "slow", ms: 2000 });
  t.equal(hold("GET", ADDRESS), 2005);
  t.equal(hold("GET", ADDRESS), 5);
});

t.test("rights withdrawn, another serial number, an administrator at the console", async (t) => {
  const client = new Client();
  client.address("a");
  client.device.setRights("api", { fwgrp: "read", sysgrp: "none" });
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { comment: "x" }), "403");
  client.device.serial = "FGVM010000000002";
  t.equal(client.ask("GET", ADDRESS).body["serial"], "FGVM010000000002");
  const outcome = edit(
    client.device,
    { method: "PUT", path: "firewall/address/a", body: { subnet: "10.0.0.0/8" } },
    client.now,
  );
  t.equal(outcome.status, 200);
  t.strictSame(client.device.address("root", "a")?.addresses, ["10.0.0.0/8"]);
  t.equal(
    edit(client.device, { method: "DELETE", path: "firewall/address/nobody" }, 0).status,
    404,
    "he is told no, too",
  );
  t.throws(
    () => edit(client.device, { vdom: "nowhere", method: "DELETE", path: "firewall/address/a" }, 0),
    /root/,
  );
});
