import t from "tap";
import { ADDRESS, ADDRESS6, Client, GROUP, GROUP6, names } from "./client.ts";

t.test("a full table; what is built in does not count", async (t) => {
  for (const [path, limit, body] of [
    [ADDRESS, "address", { subnet: "10.0.0.1/32" }],
    [ADDRESS6, "address6", { ip6: "::1/128" }],
    [GROUP, "addrgrp", { member: names("none") }],
    [GROUP6, "addrgrp6", { member: names("none") }],
  ] as const) {
    const client = new Client({ limits: { [limit]: 2 } });
    t.equal(client.verdict("POST", path, { name: "1", ...body }), "200");
    t.equal(client.verdict("POST", path, { name: "2", ...body }), "200");
    t.equal(client.verdict("POST", path, { name: "3", ...body }), "500/-4", path);
    client.done("DELETE", `${path}/1`);
    t.equal(client.verdict("POST", path, { name: "3", ...body }), "200", "room again");
  }
});

t.test("switch: how a full table says so", async (t) => {
  for (const [tableFullCode, tableFullStatus] of [
    [-4, 500],
    [-580, 500],
    [-4, 424],
  ] as const) {
    const client = new Client({ limits: { address: 1 }, switches: { tableFullCode, tableFullStatus } });
    client.address("a");
    t.equal(
      client.verdict("POST", ADDRESS, { name: "b" }),
      `${String(tableFullStatus)}/${String(tableFullCode)}`,
    );
  }
});

t.test("members of a group", async (t) => {
  const client = new Client({ limits: { "addrgrp.member": 3 } });
  for (const name of ["a", "b", "c", "d"]) client.address(name);
  t.equal(client.verdict("POST", GROUP, { name: "g", member: names("a", "b", "c", "d") }), "500/-4");
  client.group("g", "a", "b", "c");
  t.equal(client.verdict("POST", `${GROUP}/g/member`, { name: "d" }), "500/-4");
  t.equal(client.verdict("PUT", `${GROUP}/g`, { member: names("a", "b", "d") }), "200");
});

t.test("the model entry holds 600 members, 2,500 groups", async (t) => {
  const client = new Client({ model: "entry" });
  const many = Array.from({ length: 601 }, (_, index) => `a${String(index)}`);
  for (const name of many) client.address(name);
  t.equal(client.verdict("POST", GROUP, { name: "g", member: names(...many) }), "500/-4");
  t.equal(client.verdict("POST", GROUP, { name: "g", member: names(...many.slice(0, 600)) }), "200");
  t.match(client.ask("GET", "monitor/system/vdom-resource").body.results, {
    "firewall-address": { current_usage: 601, global_max: 20_000, usage_percentage: 3 },
    "firewall-addrgrp": { current_usage: 1, global_max: 2500, usage_percentage: 0 },
  });
});

t.test("switch: a body too large", async (t) => {
  const client = new Client({ switches: { maxBody: 100 } });
  t.equal(client.ask("POST", ADDRESS, { name: "a", comment: "x".repeat(100) }).status, 413);
  t.equal(client.ask("POST", ADDRESS, { name: "a" }).status, 200);
});
