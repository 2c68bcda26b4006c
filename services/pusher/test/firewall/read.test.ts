import t from "tap";
import {
  childOf,
  createAddress,
  createChild,
  createParent,
  names,
  PARENT,
  PROFILES,
  Rig,
  WEB,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const V6 = "2001:db8::1";
const NAME_A = names.address(A);

for (const profile of PROFILES) {
  t.test(`${profile}: reads what is ours and leaves the rest out`, async (t) => {
    const rig = new Rig({ profile });
    rig.admin("POST", "address", { name: "printer", subnet: "192.0.2.7/32" });
    rig.admin("POST", "address", {
      name: "pg.lab2.10.0.0.9",
      subnet: "10.0.0.9/32",
      comment: "podgate lab2",
    });
    rig.admin("POST", "addrgrp", { name: "office", member: [{ name: "printer" }] });
    await rig.all(createAddress(A), createAddress(V6), createChild([A]), createChild([V6], 6));
    await rig.all(createParent(), createParent(6));
    const actual = await rig.read(PARENT, "not there");
    t.strictSame([...actual.addresses.keys()].toSorted(), [NAME_A, names.address(V6)]);
    t.strictSame(actual.addresses.get(NAME_A), { name: NAME_A, family: 4, address: A, standing: "ours" });
    t.strictSame([...actual.children.keys()], [`4:${WEB}`, `6:${WEB}`]);
    t.strictSame(actual.children.get(`6:${WEB}`), {
      name: WEB,
      family: 6,
      standing: "ours",
      origin: { group: "web", cluster: "a" },
      members: new Set([V6]),
      strangers: [],
    });
    t.strictSame([...actual.parents.keys()], ["4:web", "6:web"]);
    t.strictSame(actual.parents.get("4:web"), {
      name: PARENT,
      family: 4,
      ours: true,
      members: new Set([WEB]),
    });
    t.equal(actual.readAt, rig.clock.time);
  });
}

t.test("reading writes nothing", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent());
  const before = rig.writes().length;
  await rig.read(PARENT);
  t.equal(rig.writes().length, before);
  t.equal(rig.calls().length, before + 4, "four lists");
});

t.test("standing of address objects", async (t) => {
  const rig = new Rig();
  const objects: readonly [string, Record<string, unknown>, string, string | undefined][] = [
    [A, { subnet: `${A}/32`, comment: "podgate lab1" }, "ours", undefined],
    [B, { subnet: "10.0.0.0/8", comment: "podgate lab1" }, "drifted", "ipmask 10.0.0.0/8"],
    ["10.0.0.3", { subnet: "10.0.0.3/32" }, "borrowed", undefined],
    ["10.0.0.4", { subnet: "10.0.0.4/32", comment: "podgate lab12" }, "borrowed", undefined],
    ["10.0.0.5", { subnet: "10.0.0.6/32", comment: "mine" }, "collision", "ipmask 10.0.0.6/32"],
    [
      "10.0.0.7",
      { type: "iprange", "start-ip": "10.0.0.7", "end-ip": "10.0.0.99", comment: "podgate lab1" },
      "drifted",
      "iprange",
    ],
    ["10.0.0.8", { type: "fqdn", fqdn: "example.com" }, "collision", "fqdn"],
  ];
  for (const [address, body] of objects) {
    t.equal(rig.admin("POST", "address", { name: names.address(address), ...body }), "200");
  }
  const { addresses } = await rig.read();
  for (const [address, , standing, found] of objects) {
    const object = addresses.get(names.address(address));
    t.equal(object?.standing, standing, address);
    t.equal(object?.found?.startsWith(found ?? "-"), found === undefined ? undefined : true, address);
  }
});

t.test("members that a child must not hold are strangers", async (t) => {
  const rig = new Rig();
  rig.admin("POST", "address", { name: "printer", subnet: "192.0.2.7/32" });
  rig.admin("POST", "address", { name: names.address(B), subnet: "10.0.0.0/8", comment: "mine" });
  rig.admin("POST", "address", { name: names.address("10.0.0.3"), subnet: "10.0.0.3/32" });
  await rig.all(createAddress(A), createChild([A]));
  rig.admin("PUT", `address/${NAME_A}`, { subnet: "10.0.0.0/8" });
  const member = [NAME_A, "printer", names.address(B), names.address("10.0.0.3"), "none"].map((name) => ({
    name,
  }));
  rig.admin("PUT", `addrgrp/${WEB}`, { member });
  const child = (await rig.read()).children.get(`4:${WEB}`);
  t.strictSame(child?.members, new Set([A, "10.0.0.3"]), "drifted and borrowed count as held");
  t.strictSame(child?.strangers.toSorted(), [names.address(B), "printer"].toSorted());
});

t.test("a group of our grammar without our mark is a collision and tells no origin", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A));
  rig.admin("POST", "addrgrp", { name: WEB, member: [{ name: NAME_A }], comment: "podgate lab12" });
  t.match((await rig.read()).children.get(`4:${WEB}`), { standing: "collision", origin: undefined });
});

t.test("a group nobody asked for is found because it holds a child of ours", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent(4, "old-route"));
  rig.admin("POST", "addrgrp", { name: "by hand", member: [{ name: WEB }], comment: "x" });
  const { parents } = await rig.read("new-route");
  t.strictSame([...parents.keys()].toSorted(), ["4:by hand", "4:old-route"]);
  t.equal(parents.get("4:by hand")?.ours, false);
  t.equal(parents.get("4:old-route")?.ours, true);
});

t.test("the origin of a child with a shortened name comes from its comment", async (t) => {
  const rig = new Rig();
  const origin = { group: `team/${"x".repeat(70)}`, cluster: "prod-eu" };
  const child = names.child({ ...origin, n: 2 });
  await rig.all({ kind: "create-child", child, family: 4, ...origin, members: [] });
  t.strictSame((await rig.read()).children.get(`4:${child}`)?.origin, origin);
  rig.admin("PUT", `addrgrp/${child}`, { comment: "podgate lab1 other of cluster prod-eu" });
  t.match((await rig.read()).children.get(`4:${child}`), { standing: "ours", origin: undefined });
});

t.test("a list that comes in pages is put together", async (t) => {
  const rig = new Rig();
  const many = Array.from({ length: 2500 }, (_, n) => `10.1.${String(n >> 8)}.${String(n & 255)}`);
  for (const address of many) {
    rig.admin("POST", "address", {
      name: names.address(address),
      subnet: `${address}/32`,
      comment: "podgate lab1",
    });
  }
  rig.tamper = (request, response) => {
    if (request.query.some(([key]) => key === "count")) return response;
    const envelope = JSON.parse(response.body) as { results: unknown[] };
    const results = envelope.results.slice(0, 700);
    return { ...response, body: JSON.stringify({ ...envelope, results, limit_reached: true }) };
  };
  const { addresses } = await rig.read();
  t.equal(addresses.size, 2500);
});

t.test("a table that changes between two pages is not put together", async (t) => {
  const rig = new Rig();
  for (const address of [A, B]) await rig.all(createAddress(address));
  rig.tamper = (request, response) => {
    if (!request.path.endsWith("/address") || request.query.some(([key]) => key === "count")) return response;
    rig.admin("PUT", `address/${NAME_A}`, { comment: "podgate lab1 edited" });
    const envelope = JSON.parse(response.body) as { results: unknown[] };
    return { ...response, body: JSON.stringify({ ...envelope, results: envelope.results.slice(0, 1) }) };
  };
  await t.rejects(rig.read(), { name: "FirewallError", reason: "busy" });
});

t.test("a device that cuts its lists and does not count is not believed", async (t) => {
  const rig = new Rig({ profile: "6.2" });
  rig.tamper = (_, response) => ({ ...response, body: response.body.replace("{", '{"limit_reached":true,') });
  await t.rejects(rig.read(), { name: "FirewallError", reason: "other" });
});

t.test("a filter that misses addresses is done without", async (t) => {
  const rig = new Rig({ profile: "6.2" });
  await rig.all(createAddress(A), createChild([A]));
  rig.tamper = (request, response) => {
    if (!request.query.some(([key]) => key === "filter")) return response;
    return { ...response, body: JSON.stringify({ ...(JSON.parse(response.body) as object), results: [] }) };
  };
  const actual = await rig.read();
  t.strictSame(actual.children.get(`4:${WEB}`)?.members, new Set([A]));
  t.ok(actual.addresses.has(NAME_A));
});

t.test("an answer for another VDOM is not taken for ours", async (t) => {
  const rig = new Rig({ vdoms: ["root", "dmz"] }, "dmz");
  rig.tamper = (_, response) => ({
    ...response,
    body: response.body.replaceAll('"vdom":"dmz"', '"vdom":"root"'),
  });
  await t.rejects(rig.read(), { name: "FirewallError", message: /VDOM root when asked for dmz/ });
});

t.test("two targets of one device do not see each other", async (t) => {
  const rig = new Rig({ vdoms: ["root", "dmz"] }, "dmz");
  rig.admin("POST", "address", { name: NAME_A, subnet: `${A}/32`, comment: "podgate lab1" });
  await rig.all(createAddress(B));
  t.strictSame([...(await rig.read()).addresses.keys()], [names.address(B)]);
  t.equal(childOf("web"), WEB);
});
