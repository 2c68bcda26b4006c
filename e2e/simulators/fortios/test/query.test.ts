import t from "tap";
import { MODELS } from "../src/limits.ts";
import { PROFILE_LINES } from "../src/profile.ts";
import { ADDRESS, Client, GROUP, names } from "./client.ts";
import type { DeviceOptions } from "../src/state.ts";

function prepared(options: DeviceOptions = {}): Client {
  const client = new Client(options);
  for (const [name, subnet, comment] of [
    ["pg.x.10.0.0.1", "10.0.0.1/32", "podgate x"],
    ["pg.x.10.0.0.2", "10.0.0.2/32", "podgate x"],
    ["PG.X.10.0.0.3", "10.0.0.3/32", "Podgate x"],
    ["a,b", "10.0.0.4/32", "comma"],
    ["c\\d", "10.0.0.5/32", "backslash"],
  ] as const) {
    client.done("POST", ADDRESS, { name, subnet, comment });
  }
  return client;
}

const found = (client: Client, query: string): unknown[] =>
  client.rows(`${ADDRESS}?${query}`).map((row) => row["name"]);

t.test("filters", async (t) => {
  const client = prepared();
  const [one, two, three] = ["pg.x.10.0.0.1", "pg.x.10.0.0.2", "PG.X.10.0.0.3"];
  const cases: [string, unknown[]][] = [
    ["filter=name==pg.x.10.0.0.1", [one]],
    ["filter=name==pg\\.x\\.10\\.0\\.0\\.1", [one]],
    ["filter=name%3D%3Dpg.x.10.0.0.1", [one]],
    ["filter=name==nobody", []],
    ["filter=name=@pg.x", [one, two]],
    ["filter=name=*PG.X.10.0.0.1", [one]],
    ["filter=comment==podgate%20x", [one, two]],
    ["filter=comment==podgate+x", [one, two]],
    ["filter=name==pg.x.10.0.0.1,name==pg.x.10.0.0.2", [one, two]],
    ["filter=name==pg.x.10.0.0.1,pg.x.10.0.0.2", [one, two]],
    ["filter=name=@0.0.&filter=comment=@Podgate", [three]],
    ["filter=name==a%5C,b", ["a,b"]],
    ["filter=name==c%5C%5Cd", ["c\\d"]],
    ["filter=subnet==10.0.0.2%20255.255.255.255", [two]],
    ["filter=nonsense==1", []],
    ["key=name&pattern=a%5C,b", ["a,b"]],
  ];
  for (const [query, expected] of cases) t.strictSame(found(client, query), expected, query);
  t.equal(found(client, "filter=name!=all").includes("all"), false);
  t.equal(found(client, "filter=name!@pg").length, client.rows(ADDRESS).length - 2);
});

t.test("filters look into tables", async (t) => {
  const client = prepared();
  client.group("g", "a,b");
  client.group("h", "pg.x.10.0.0.1");
  t.strictSame(
    client.rows(`${GROUP}?filter=member==pg.x.10.0.0.1`).map((row) => row["name"]),
    ["h"],
  );
  t.strictSame(
    client.rows(`${GROUP}?filter=member.name=@pg`).map((row) => row["name"]),
    ["h"],
  );
});

t.test("numbers are compared as numbers", async (t) => {
  const client = new Client();
  for (const [name, color] of [
    ["c2", 2],
    ["c10", 10],
    ["c30", 30],
  ] as const)
    client.done("POST", ADDRESS, { name, color });
  t.strictSame(found(client, "filter=color>2"), ["c10", "c30"]);
  t.strictSame(found(client, "filter=color>=2"), ["c2", "c10", "c30"]);
  t.strictSame(found(client, "filter=color>2&filter=color<=10"), ["c10"]);
});

t.test("switch: filters that do not tell upper from lower case", async (t) => {
  const client = prepared({ switches: { filterCase: "insensitive" } });
  t.strictSame(found(client, "filter=comment==podgate%20x"), [
    "pg.x.10.0.0.1",
    "pg.x.10.0.0.2",
    "PG.X.10.0.0.3",
  ]);
});

t.test("format", async (t) => {
  const client = prepared();
  const keys = (query: string): string[] => Object.keys(client.rows(`${ADDRESS}/a%2Cb?${query}`)[0] ?? {});
  t.strictSame(keys("format=name|subnet"), ["name", "q_origin_key", "subnet"]);
  t.strictSame(keys("format=subnet"), ["subnet", "q_origin_key"], "q_origin_key is always there");
  t.strictSame(keys("format=name|nonsense"), keys(""), "one unknown field: all of them");
});

t.test("start, count and sort", async (t) => {
  const client = prepared();
  const all = found(client, "");
  const total = all.length;
  const cases: [string, unknown[] | 400][] = [
    ["start=0&count=2", all.slice(0, 2)],
    ["count=3", all.slice(0, 3)],
    ["start=2&count=2", all.slice(2, 4)],
    [`start=${String(total - 1)}&count=5`, all.slice(-1)],
    ["start=2", all.slice(2)],
    ["start=0&count=0", all],
    ["start=-1&count=1", all],
    [`start=${String(total + 1)}`, 400],
    [`count=${String(total + 1)}`, 400],
    ["count=x", 400],
    ["filter=name=@pg.x&count=3", 400],
    ["filter=name=@pg.x&start=1&count=1", ["pg.x.10.0.0.2"]],
  ];
  for (const [query, expected] of cases) {
    if (expected === 400) t.equal(client.verdict("GET", `${ADDRESS}?${query}`), "400", query);
    else t.strictSame(found(client, query), expected, query);
  }
  t.strictSame(found(client, "sort=name,asc"), all.map(String).toSorted());
  t.strictSame(found(client, "sort=name,dsc"), all.map(String).toSorted().toReversed());
  t.strictSame(
    found(prepared({ profile: "6.2" }), "sort=name,dsc").length,
    found(prepared({ profile: "6.2" }), "").length,
  );
});

t.test("with_meta counts who uses an object", async (t) => {
  const client = prepared();
  client.group("g", "a,b");
  client.group("h", "a,b", "g");
  client.done("POST", "cmdb/firewall/policy", { srcaddr: names("a,b"), dstaddr: names("a,b", "all") });
  const meta = (path: string): unknown => client.rows(`${path}?with_meta=1`)[0];
  t.match(meta(`${ADDRESS}/a%2Cb`), {
    q_ref: 3,
    q_static: false,
    q_path: "firewall",
    q_name: "address",
    q_mkey_type: "string",
  });
  t.match(meta(`${ADDRESS}/all`), { q_ref: 1, q_static: true, q_no_rename: true });
  t.match(meta(`${GROUP}/g`), { q_ref: 1 });
  t.match(meta(`${GROUP}/h`), { q_ref: 0 });
  t.notOk("q_ref" in (client.rows(`${GROUP}/h`)[0] ?? {}));
});

t.test("action=schema tells the limits of the model", async (t) => {
  for (const [model, limits] of Object.entries(MODELS)) {
    for (const profile of PROFILE_LINES) {
      const client = new Client({ profile, model: model as keyof typeof MODELS });
      const schema = (path: string): unknown => client.ask("GET", `${path}?action=schema`).body.results;
      t.match(schema(ADDRESS), { max_table_size_vdom: limits.address, mkey: "name", access_group: "fwgrp" });
      t.match(schema(GROUP), {
        max_table_size_vdom: limits.addrgrp,
        children: {
          member: { max_table_size_item: limits["addrgrp.member"], mkey: "name", category: "table" },
        },
      });
      t.match(schema("cmdb/firewall/address6"), { max_table_size_vdom: limits.address6 });
      t.match(schema("cmdb/firewall/addrgrp6"), { max_table_size_vdom: limits.addrgrp6 });
      const group = schema(GROUP) as { children: { member: { required?: boolean }; name: { size: number } } };
      t.equal(
        group.children.member.required === true,
        ["6.2", "6.4", "7.0"].includes(profile),
        `${profile}: required`,
      );
      t.equal(group.children.name.size, 79);
    }
  }
});

t.test("action=default, and actions nobody knows", async (t) => {
  const client = new Client();
  t.match(client.ask("GET", `${ADDRESS}?action=default`).body.results, {
    type: "ipmask",
    color: 0,
    subnet: "0.0.0.0 0.0.0.0",
  });
  t.equal(client.verdict("GET", `${ADDRESS}?action=nonsense`), "400/-10000");
  t.equal(client.verdict("POST", `${ADDRESS}?action=nonsense`, { name: "a" }), "400/-10000");
});

t.test("unknown tables and paths", async (t) => {
  const client = new Client();
  for (const path of [
    "cmdb/firewall/nonsense",
    "cmdb/firewall",
    "cmdb/nonsense",
    "monitor/nonsense",
    "nonsense/a",
    "",
  ]) {
    t.equal(client.ask("GET", path).status, 404, path);
  }
  t.equal(client.ask("GET", "cmdb/firewall/address/%zz").status, 400);
  t.equal(client.ask("GET", "cmdb/firewall/address/%E0%A4%A").status, 400);
});
