import t from "tap";
import { ADDRESS_ACCESS, FULL_ACCESS, type AccProfile } from "../src/access.ts";
import { DEFAULT_TOKEN } from "../src/state.ts";
import { ADDRESS, Client, GROUP } from "./client.ts";

const STATUS = "monitor/system/status";
const wrong = { authorization: "Bearer wrong" };

t.test("the token comes in the header", async (t) => {
  const cases: [Record<string, string>, number][] = [
    [{ authorization: `Bearer ${DEFAULT_TOKEN}` }, 200],
    [{ authorization: `bearer ${DEFAULT_TOKEN}` }, 200],
    [{ authorization: DEFAULT_TOKEN }, 401],
    [{ authorization: `Basic ${DEFAULT_TOKEN}` }, 401],
    [{ authorization: "" }, 401],
    [wrong, 401],
  ];
  for (const [headers, expected] of cases)
    t.equal(new Client().ask("GET", STATUS, undefined, headers).status, expected);
});

t.test("401 is a page, not JSON", async (t) => {
  const { headers, text } = new Client().ask("GET", STATUS, undefined, wrong);
  t.match(headers, { "content-type": /text\/html/, "www-authenticate": /invalid_token/ });
  t.match(text, /401 Unauthorized/);
});

const status = (profile: string, urlToken: boolean | null): number => {
  const client = new Client({ profile, switches: { urlToken } });
  client.headers = {};
  return client.ask("GET", `${STATUS}?access_token=${DEFAULT_TOKEN}`).status;
};

t.test("the token in the URL: by release, or as switched", async (t) => {
  for (const [profile, expected] of [
    ["6.2", 200],
    ["7.4.4", 200],
    ["7.4.5", 401],
    ["7.4", 401],
    ["7.6.0", 200],
    ["7.6.1", 401],
  ] as const) {
    t.equal(status(profile, null), expected, profile);
  }
  t.equal(status("7.6", true), 200);
  t.equal(status("6.2", false), 401);
});

t.test("a token in the URL stays out of the log", async (t) => {
  const client = new Client({ profile: "7.0" });
  client.ask("GET", `${STATUS}?access_token=${DEFAULT_TOKEN}&vdom=root`);
  const [entry] = client.device.log.entries();
  t.equal(entry?.query, "vdom=root");
  t.notOk(JSON.stringify(entry).includes(DEFAULT_TOKEN));
});

t.test("three wrong tokens lock the source out, a good token too; each lockout doubles", async (t) => {
  const client = new Client();
  const good = (): number => client.ask("GET", STATUS).status;
  const bad = (): number => client.ask("GET", STATUS, undefined, wrong).status;
  for (const seconds of [60, 120, 240]) {
    t.strictSame([bad(), bad(), bad()], [401, 401, 401]);
    t.equal(good(), 429, "the good one is not looked at");
    client.source = "192.0.2.2";
    t.equal(good(), 200, "another source is not concerned");
    client.source = "192.0.2.1";
    client.now += seconds * 1000 - 1;
    t.equal(good(), 429, `${String(seconds)} s`);
    t.equal(bad(), 429, "and counts for nothing");
    client.now += 1;
  }
  t.equal(good(), 200);
  t.strictSame(
    [bad(), bad(), good(), bad(), bad(), good()],
    [401, 401, 200, 401, 401, 200],
    "a success resets the count",
  );
});

t.test("wrong tokens count within a minute", async (t) => {
  const client = new Client();
  for (const _ of [1, 2]) client.ask("GET", STATUS, undefined, wrong);
  client.now += 60_001;
  client.ask("GET", STATUS, undefined, wrong);
  t.equal(client.ask("GET", STATUS).status, 200);
});

t.test("a request without a token is refused but not counted", async (t) => {
  const client = new Client();
  for (let time = 0; time < 5; time += 1) client.ask("GET", STATUS, undefined, { authorization: "" });
  t.equal(client.ask("GET", STATUS).status, 200);
});

t.test("switch: status while locked out; threshold and duration can be set", async (t) => {
  const client = new Client({ switches: { lockedStatus: 401 }, lockout: { threshold: 1, duration: 5000 } });
  client.ask("GET", STATUS, undefined, wrong);
  t.equal(client.ask("GET", STATUS).status, 401);
  t.strictSame(client.device.lockout.state(client.now), { "192.0.2.1": client.now + 5000 });
  client.device.lockout.clear();
  t.equal(client.ask("GET", STATUS).status, 200);
});

t.test("trusted hosts", async (t) => {
  const user = {
    name: "api",
    token: DEFAULT_TOKEN,
    profile: FULL_ACCESS,
    vdoms: "*",
    trustedHosts: ["192.0.2.9"],
  } as const;
  const client = new Client({ users: [user] });
  t.equal(client.ask("GET", STATUS).status, 401);
  client.source = "192.0.2.9";
  t.equal(client.ask("GET", STATUS).status, 200);
});

t.test("rights, call by call", async (t) => {
  const readAddresses: AccProfile = {
    fwgrp: "custom",
    "fwgrp-permission": { address: "read" },
    sysgrp: "none",
  };
  const profiles = {
    full: FULL_ACCESS,
    address: ADDRESS_ACCESS,
    read: readAddresses,
    none: { fwgrp: "none", sysgrp: "none" } as const,
  };
  const calls: [string, string, unknown, Record<keyof typeof profiles, string>][] = [
    ["GET", ADDRESS, undefined, { full: "200", address: "200", read: "200", none: "403" }],
    ["GET", `${GROUP}?action=schema`, undefined, { full: "200", address: "200", read: "200", none: "403" }],
    ["POST", ADDRESS, { name: "a" }, { full: "200", address: "200", read: "403", none: "403" }],
    ["PUT", `${ADDRESS}/all`, {}, { full: "200", address: "200", read: "403", none: "403" }],
    ["DELETE", `${ADDRESS}/nobody`, undefined, { full: "404", address: "404", read: "403", none: "403" }],
    ["GET", "cmdb/firewall/policy", undefined, { full: "200", address: "403", read: "403", none: "403" }],
    [
      "GET",
      "cmdb/system/external-resource",
      undefined,
      { full: "200", address: "403", read: "403", none: "403" },
    ],
    ["GET", STATUS, undefined, { full: "200", address: "200", read: "200", none: "200" }],
    ["GET", "monitor/system/ha-peer", undefined, { full: "200", address: "403", read: "403", none: "403" }],
    [
      "GET",
      "monitor/system/vdom-resource",
      undefined,
      { full: "200", address: "403", read: "403", none: "403" },
    ],
    ["GET", "cmdb/system/global", undefined, { full: "200", address: "200", read: "200", none: "200" }],
    ["PUT", "cmdb/system/global", {}, { full: "405", address: "403", read: "403", none: "403" }],
  ];
  for (const [method, path, body, expected] of calls) {
    for (const [name, profile] of Object.entries(profiles)) {
      const client = new Client({ users: [{ name: "api", token: DEFAULT_TOKEN, profile, vdoms: "*" }] });
      t.equal(
        client.verdict(method, path, body),
        expected[name as keyof typeof profiles],
        `${name}: ${method} ${path}`,
      );
    }
  }
});

t.test("without the right, system/ha and the like are answered with nothing in them", async (t) => {
  const settings = { ha: { mode: "a-p", groupName: "pair", priority: 200 } } as const;
  const client = new Client({ settings });
  t.match(client.ask("GET", "cmdb/system/ha").body.results, { mode: "a-p", "group-name": "pair" });
  client.device.setRights("api", ADDRESS_ACCESS);
  t.strictSame(client.ask("GET", "cmdb/system/ha").body.results, {});
});

t.test("central management and HA can be seen", async (t) => {
  const client = new Client({ settings: { centralManagement: { type: "fortimanager", fmg: "192.0.2.50" } } });
  t.match(client.ask("GET", "cmdb/system/central-management").body.results, {
    type: "fortimanager",
    fmg: "192.0.2.50",
  });
  t.match(client.ask("GET", "monitor/system/ha-peer").body.results, [
    { serial_no: "FGVM010000000001", primary: true },
  ]);
});

t.test("logins with a password are not simulated", async (t) => {
  const client = new Client();
  t.equal(client.ask("POST", "/logincheck", "username=a&secretkey=b&ajax=1").text, "0");
  t.equal(client.ask("GET", "/logincheck").status, 200);
  t.equal(client.ask("POST", "/logout").status, 200);
});

t.test("POST may stand for another method", async (t) => {
  const client = new Client();
  client.address("a");
  t.equal(
    client.ask("POST", `${ADDRESS}/a`, { comment: "x" }, { "x-http-method-override": "PUT" }).status,
    200,
  );
  t.equal(client.device.address("root", "a")?.comment, "x");
  t.equal(client.ask("POST", `${ADDRESS}/a`, undefined, { "x-http-method-override": "DELETE" }).status, 200);
});
