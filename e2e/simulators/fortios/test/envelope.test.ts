import t from "tap";
import { PROFILE_LINES } from "../src/profile.ts";
import { ADDRESS, Client, GROUP, names } from "./client.ts";

const keys = (body: object): string[] => Object.keys(body).toSorted();
const TAIL = ["build", "serial", "version"];
const PLACE = ["name", "path", "vdom"];

t.test("a list, by release", async (t) => {
  for (const profile of PROFILE_LINES) {
    const client = new Client({ profile });
    client.address("a");
    const { body } = client.ask("GET", `${ADDRESS}?filter=name==a`);
    const counts = profile === "6.2" ? [] : ["matched_count", "next_idx", "size"];
    const limit = ["7.4", "7.6"].includes(profile) ? ["limit_reached"] : [];
    const expected = [
      "http_method",
      "http_status",
      "results",
      "revision",
      "status",
      ...PLACE,
      ...TAIL,
      ...counts,
      ...limit,
    ];
    t.strictSame(keys(body), expected.toSorted(), profile);
    t.match(body, {
      http_method: "GET",
      status: "success",
      http_status: 200,
      vdom: "root",
      path: "firewall",
      name: "address",
    });
    t.match(body.revision, /^[0-9a-f]{32}$/);
    t.ok(String(body["version"]).startsWith(`v${profile}.`));
    if (profile !== "6.2") t.match(body, { matched_count: 1, size: client.rows(ADDRESS).length });
  }
});

t.test("one object is still an array of one", async (t) => {
  const client = new Client();
  client.address("a");
  t.equal(client.rows(`${ADDRESS}/a`).length, 1);
});

t.test("a write", async (t) => {
  const client = new Client();
  const before = client.ask("GET", ADDRESS).body.revision;
  const made = client.done("POST", ADDRESS, { name: "a", subnet: "10.0.0.1/32" });
  const expected = [
    "http_method",
    "http_status",
    "mkey",
    "old_revision",
    "revision",
    "revision_changed",
    "status",
  ];
  t.strictSame(keys(made), [...expected, ...PLACE, ...TAIL].toSorted());
  t.match(made, {
    http_method: "POST",
    mkey: "a",
    status: "success",
    http_status: 200,
    old_revision: before,
  });
  t.equal(made.revision, client.ask("GET", ADDRESS).body.revision);
});

t.test("errors", async (t) => {
  const client = new Client();
  client.address("a");
  const refused = client.ask("POST", ADDRESS, { name: "a" }).body;
  const cli = ["cli_error", "error", "http_method", "http_status", "revision", "revision_changed", "status"];
  t.strictSame(keys(refused), [...cli, ...PLACE, ...TAIL].toSorted());
  t.match(refused, {
    status: "error",
    http_status: 500,
    error: -5,
    cli_error: /Command fail\. Return code -5\n$/,
  });

  const missing = client.ask("GET", `${ADDRESS}/nobody`).body;
  t.strictSame(
    keys(missing),
    ["http_method", "http_status", "mkey", "revision", "status", ...PLACE, ...TAIL].toSorted(),
  );
  t.match(missing, { mkey: "nobody", http_status: 404, status: "error" });

  const bad = client.ask("POST", ADDRESS, "{").body;
  t.strictSame(keys(bad), ["http_method", "http_status", "status", ...PLACE, ...TAIL].toSorted());

  client.device.setRights("api", { fwgrp: "none", sysgrp: "none" });
  const forbidden = client.ask("GET", ADDRESS).body;
  t.strictSame(keys(forbidden), ["http_method", "http_status", "status", "vdom", ...TAIL].toSorted());
});

t.test("switch: old builds answer 424 for what is duplicate, missing or invalid", async (t) => {
  const client = new Client({ switches: { failedDependency: true } });
  client.address("a");
  client.group("g", "a");
  t.equal(client.verdict("POST", ADDRESS, { name: "a" }), "424/-5");
  t.equal(client.verdict("PUT", `${GROUP}/g`, { member: names("nobody") }), "424/-3");
  t.equal(client.verdict("PUT", `${ADDRESS}/a`, { subnet: "x" }), "424/-8");
  t.equal(client.verdict("DELETE", `${ADDRESS}/a`), "500/-23");
});

t.test("monitor replies carry http_status only on newer releases, or as switched", async (t) => {
  for (const profile of PROFILE_LINES) {
    const { body } = new Client({ profile }).ask("GET", "monitor/system/status");
    t.equal("http_status" in body, ["7.4", "7.6"].includes(profile), profile);
  }
  const client = new Client({ profile: "7.6", switches: { monitorHttpStatus: false } });
  t.notOk("http_status" in client.ask("GET", "monitor/system/status").body);
});

t.test("system/status is empty on 6.2; version, serial and build are in every envelope", async (t) => {
  const old = new Client({ profile: "6.2" }).ask("GET", "monitor/system/status").body;
  t.strictSame(old.results, {});
  t.match(old, { version: "v6.2.7", build: 1190, serial: "FGVM010000000001" });
  const recent = new Client({ profile: "7.4.1", hostname: "fw-1" }).ask("GET", "monitor/system/status").body;
  t.match(recent, { version: "v7.4.1", results: { hostname: "fw-1" } });
});

t.test("revision changes only when content does", async (t) => {
  const client = new Client();
  const revision = (): unknown => client.ask("GET", ADDRESS).body.revision;
  const empty = revision();
  client.address("a", "10.0.0.1/32");
  const made = revision();
  t.not(made, empty);
  const same = client.done("PUT", `${ADDRESS}/a`, { subnet: "10.0.0.1 255.255.255.255" });
  t.match(same, { revision_changed: false, revision: made, old_revision: made });
  client.done("PUT", `${ADDRESS}/a`, { comment: "x" });
  t.not(revision(), made);
  client.done("PUT", `${ADDRESS}/a`, { comment: "" });
  t.equal(revision(), made, "the same content, the same revision");
  client.verdict("PUT", `${ADDRESS}/a`, { subnet: "bad" });
  t.equal(revision(), made, "a refusal changes nothing");
  client.done("DELETE", `${ADDRESS}/a`);
  t.equal(revision(), empty);
});

t.test("switch: what a revision covers", async (t) => {
  for (const revisionScope of ["table", "vdom", "global"] as const) {
    const client = new Client({ vdoms: ["root", "dmz"], switches: { revisionScope } });
    const read = (path: string): unknown => client.ask("GET", path).body.revision;
    const before = [read(GROUP), read(`${ADDRESS}?vdom=dmz`)];
    client.address("a");
    const after = [read(GROUP), read(`${ADDRESS}?vdom=dmz`)];
    t.equal(after[0] !== before[0], revisionScope !== "table", `${revisionScope}: another table`);
    t.equal(after[1] !== before[1], revisionScope === "global", `${revisionScope}: another VDOM`);
  }
});

t.test("switch: revision_changed of an identical PUT", async (t) => {
  for (const [identicalPut, expected] of [
    ["unchanged", false],
    ["changed", true],
  ] as const) {
    const client = new Client({ switches: { identicalPut } });
    client.address("a");
    t.equal(client.done("PUT", `${ADDRESS}/a`, {}).revision_changed, expected);
    t.equal(client.device.log.entries().at(-1)?.changed, false, "the log knows better");
  }
});
