import t from "tap";
import { PROFILE_LINES } from "../src/profile.ts";
import { ADDRESS, ADDRESS6, Client } from "./client.ts";

t.test("what an IPv4 address is read back as, and which values are refused", async (t) => {
  const cases: [unknown, string][] = [
    ["10.1.2.3/32", "10.1.2.3 255.255.255.255"],
    ["10.1.2.3 255.255.255.255", "10.1.2.3 255.255.255.255"],
    ["10.1.2.3/255.255.255.0", "10.1.2.0 255.255.255.0"],
    ["10.1.2.3/8", "10.0.0.0 255.0.0.0"],
    ["0.0.0.0/0", "0.0.0.0 0.0.0.0"],
    ["10.1.2.3", "500/-9"],
    ["10.1.2.3/33", "500/-9"],
    ["10.1.2.3 255.0.255.0", "500/-9"],
    ["10.1.2.300/32", "500/-8"],
    ["10.1.2/32", "500/-8"],
    ["010.1.2.3/32", "500/-8"],
    ["not an address", "500/-8"],
    ["", "500/-8"],
    [12, "500/-651"],
    [null, "500/-651"],
    [["10.0.0.1/32"], "500/-651"],
  ];
  for (const [subnet, expected] of cases) {
    const client = new Client();
    const verdict = client.verdict("POST", ADDRESS, { name: "a", subnet });
    const found = verdict === "200" ? client.rows(`${ADDRESS}/a`)[0]?.["subnet"] : verdict;
    t.equal(found, expected, JSON.stringify(subnet));
    if (verdict !== "200") t.equal(client.verdict("GET", `${ADDRESS}/a`), "404", "nothing was made");
  }
});

t.test("what an IPv6 address is read back as, and which values are refused", async (t) => {
  const cases: [unknown, string][] = [
    ["2001:db8::7/128", "2001:db8::7/128"],
    ["2001:0DB8:0:0:0:0:0:7/128", "2001:db8::7/128"],
    ["2001:db8:1:2:3:4:5:6/64", "2001:db8:1:2::/64"],
    ["::ffff:10.0.0.1/128", "::ffff:a00:1/128"],
    ["::/0", "::/0"],
    ["1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"],
    ["2001:db8::7", "500/-254"],
    ["2001:db8::7/129", "500/-254"],
    ["2001:db8::7::1/128", "500/-255"],
    ["2001:db8:7/128", "500/-255"],
    ["12345::/128", "500/-255"],
    ["10.0.0.1/32", "500/-255"],
    [7, "500/-651"],
  ];
  for (const [ip6, expected] of cases) {
    const client = new Client();
    const verdict = client.verdict("POST", ADDRESS6, { name: "a", ip6 });
    const found = verdict === "200" ? client.rows(`${ADDRESS6}/a`)[0]?.["ip6"] : verdict;
    t.equal(found, expected, JSON.stringify(ip6));
  }
});

t.test("which bodies make an address", async (t) => {
  const ok = { name: "a", subnet: "10.0.0.1/32" };
  const cases: [string, object, string][] = [
    ["name of 79", { ...ok, name: "n".repeat(79) }, "200"],
    ["name of 80", { ...ok, name: "n".repeat(80) }, "500/-1"],
    ["80 bytes in 40 characters", { ...ok, name: "ä".repeat(40) }, "500/-1"],
    ["comment of 255", { ...ok, comment: "c".repeat(255) }, "200"],
    ["comment of 256", { ...ok, comment: "c".repeat(256) }, "500/-1"],
    ["no name", { subnet: "10.0.0.1/32" }, "500/-56"],
    ["empty name", { ...ok, name: "" }, "500/-56"],
    ["name that is a number", { ...ok, name: 5 }, "500/-651"],
    ["comment that is an object", { ...ok, comment: {} }, "500/-651"],
    ["color as a number", { ...ok, color: 32 }, "200"],
    ["color as digits", { ...ok, color: "7" }, "200"],
    ["color too high", { ...ok, color: 33 }, "500/-650"],
    ["color that is a word", { ...ok, color: "red" }, "500/-651"],
    ["color with a fraction", { ...ok, color: 1.5 }, "500/-651"],
    ["unknown type", { ...ok, type: "nonsense" }, "500/-651"],
    ["option that is a boolean", { ...ok, "allow-routing": true }, "500/-651"],
    ["angle bracket in the name", { ...ok, name: "a<b" }, "500/-173"],
    ["quote in the name", { ...ok, name: 'a"b' }, "500/-173"],
    ["colon and dot in the name", { ...ok, name: "pg.x.2001:db8::1" }, "200"],
    ["space and slash in the name", { ...ok, name: "a b/c" }, "200"],
    ["attribute nobody knows", { ...ok, future: 1, q_origin_key: "z" }, "200"],
    ["old wrapping", { json: ok }, "200"],
    ["range", { name: "a", type: "iprange", "start-ip": "10.0.0.1", "end-ip": "10.0.0.9" }, "200"],
    [
      "range upside down",
      { name: "a", type: "iprange", "start-ip": "10.0.0.9", "end-ip": "10.0.0.1" },
      "500/-45",
    ],
    ["range without an end", { name: "a", type: "iprange", "start-ip": "10.0.0.9" }, "500/-45"],
    ["fqdn", { name: "a", type: "fqdn", fqdn: "x.example" }, "200"],
    ["fqdn without one", { name: "a", type: "fqdn" }, "500/-56"],
    ["own uuid", { ...ok, uuid: "0b3a9a9e-0000-51ee-8000-0123456789AB" }, "200"],
    ["uuid that is none", { ...ok, uuid: "x" }, "500/-651"],
    ["rows that are no list", { ...ok, list: "a" }, "500/-651"],
    ["a list", [ok], "400"],
  ];
  for (const [what, body, expected] of cases) {
    t.equal(new Client().verdict("POST", ADDRESS, body), expected, what);
  }
});

t.test("bodies that cannot be read", async (t) => {
  for (const body of ["{", "nonsense", "12", '"text"', "null"]) {
    t.equal(new Client().verdict("POST", ADDRESS, body), "400", body);
  }
});

t.test("create, read, change, delete", async (t) => {
  for (const profile of PROFILE_LINES) {
    const client = new Client({ profile });
    client.address("a", "10.1.2.3/32");
    const [row] = client.rows(`${ADDRESS}/a`);
    t.equal(row?.["q_origin_key"], "a", profile);
    t.match(row?.["uuid"], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "the box gives a uuid");
    t.equal(client.verdict("POST", ADDRESS, { name: "a", subnet: "10.1.2.3/32" }), "500/-5");
    client.done("PUT", `${ADDRESS}/a`, { comment: "hello" });
    const [changed] = client.rows(`${ADDRESS}/a`);
    t.strictSame({ ...changed, comment: "" }, row, "all else stays, the uuid too");
    t.equal(changed?.["comment"], "hello");
    t.equal(client.verdict("PUT", `${ADDRESS}/nobody`, { comment: "x" }), "404");
    t.equal(client.verdict("DELETE", `${ADDRESS}/a`), "200");
    t.equal(client.verdict("DELETE", `${ADDRESS}/a`), "404");
    t.equal(client.verdict("GET", `${ADDRESS}/a`), "404");
  }
});

const has = (profile: string, path: string, field: string): boolean => {
  const client = new Client({ profile });
  return field in (client.rows(`${path}/all`)[0] ?? {});
};

t.test("fields come and go with the release", async (t) => {
  const cases: [string, string, string[]][] = [
    [ADDRESS, "visibility", ["6.2"]],
    [ADDRESS, "start-mac", ["6.2"]],
    [ADDRESS, "fabric-object", ["6.4", "7.0", "7.2", "7.4", "7.6"]],
    [ADDRESS, "macaddr", ["7.0", "7.2", "7.4", "7.6"]],
    [ADDRESS, "route-tag", ["7.4", "7.6"]],
    [ADDRESS6, "country", ["6.4", "7.0", "7.2", "7.4", "7.6"]],
    [ADDRESS6, "tenant", ["7.2", "7.4", "7.6"]],
  ];
  for (const [path, field, expected] of cases) {
    const found = PROFILE_LINES.filter((profile) => has(profile, path, field));
    t.strictSame(found, expected, `${path} ${field}`);
  }
  t.equal(
    new Client({ profile: "7.2" }).verdict("POST", ADDRESS, { name: "a", type: "route-tag" }),
    "500/-651",
  );
  t.equal(new Client({ profile: "7.4" }).verdict("POST", ADDRESS, { name: "a", type: "route-tag" }), "200");
});

t.test("all and none are in every VDOM, of both families, and cannot be changed or removed", async (t) => {
  for (const profile of PROFILE_LINES) {
    const client = new Client({ profile, vdoms: ["root", "dmz"] });
    for (const vdom of ["root", "dmz"]) {
      for (const [path, field, all, none] of [
        [ADDRESS, "subnet", "0.0.0.0 0.0.0.0", "0.0.0.0 255.255.255.255"],
        [ADDRESS6, "ip6", "::/0", "::/128"],
      ] as const) {
        t.equal(client.rows(`${path}/all?vdom=${vdom}`)[0]?.[field], all, `${profile} ${vdom} ${path}`);
        t.equal(client.rows(`${path}/none?vdom=${vdom}`)[0]?.[field], none);
        t.equal(client.verdict("DELETE", `${path}/none?vdom=${vdom}`), "500/-7");
        t.equal(client.verdict("PUT", `${path}/none?vdom=${vdom}`, { comment: "x" }), "500/-7");
      }
    }
  }
});

t.test("what was read can be written back whole, and changes nothing", async (t) => {
  for (const profile of PROFILE_LINES) {
    const client = new Client({ profile });
    client.done("POST", ADDRESS, {
      name: "r",
      type: "iprange",
      "start-ip": "10.0.0.1",
      "end-ip": "10.0.0.9",
    });
    for (const table of [ADDRESS, ADDRESS6, "cmdb/firewall/addrgrp"]) {
      for (const row of client.rows(table)) {
        const key = encodeURIComponent(String(row["name"]));
        const { status, body } = client.ask("PUT", `${table}/${key}`, row);
        t.match(
          { status, changed: body.revision_changed },
          { status: 200, changed: false },
          `${profile} ${key}`,
        );
      }
    }
  }
});
