import t from "tap";
import { Client, GROUP, names } from "./client.ts";
import type { DeviceOptions } from "../src/state.ts";

function prepared(options: DeviceOptions = {}): Client {
  const client = new Client(options);
  for (const name of ["a", "b", "c/d e"]) client.address(name);
  client.group("g", "a", "b");
  return client;
}

const members = (client: Client): readonly string[] | undefined => client.device.group("root", "g")?.members;

t.test("read, append and remove one member", async (t) => {
  const client = prepared();
  t.strictSame(client.rows(`${GROUP}/g/member`), [
    { name: "a", q_origin_key: "a" },
    { name: "b", q_origin_key: "b" },
  ]);
  t.strictSame(client.rows(`${GROUP}/g/member/b`), [{ name: "b", q_origin_key: "b" }]);
  const appended = client.done("POST", `${GROUP}/g/member`, { name: "c/d e" });
  t.match(appended, {
    mkey: "g",
    child_path: "member",
    child_mkey: "c/d e",
    revision_changed: true,
    http_method: "POST",
  });
  t.strictSame(members(client), ["a", "b", "c/d e"]);
  const removed = client.done("DELETE", `${GROUP}/g/member/c%2Fd%20e`);
  t.match(removed, { mkey: "g", child_path: "member", child_mkey: "c/d e", revision_changed: true });
  t.strictSame(members(client), ["a", "b"]);
});

t.test("what is refused, and with what", async (t) => {
  const cases: [string, string, unknown, string][] = [
    ["POST", "g/member", { name: "nobody" }, "500/-3"],
    ["POST", "g/member", { name: "g" }, "500/-651"],
    ["POST", "g/member", {}, "500/-56"],
    ["POST", "g/member", names("b"), "400"],
    ["POST", "nobody/member", { name: "a" }, "404"],
    ["POST", "g/member/a", { name: "a" }, "404"],
    ["PUT", "g/member/a", { name: "a" }, "405"],
    ["PUT", "g/member", { name: "a" }, "405"],
    ["GET", "nobody/member", undefined, "404"],
    ["GET", "g/member/nobody", undefined, "404"],
    ["GET", "g/comment", undefined, "400"],
    ["GET", "g/nonsense/a", undefined, "400"],
    ["DELETE", "nobody/member/a", undefined, "404"],
    ["DELETE", "g/member/nobody", undefined, "404"],
  ];
  for (const [method, path, body, expected] of cases) {
    const client = prepared();
    t.equal(client.verdict(method, `${GROUP}/${path}`, body), expected, `${method} ${path}`);
    t.strictSame(members(client), ["a", "b"]);
  }
});

t.test("a raw slash in a name is a child path: refused", async (t) => {
  t.equal(prepared().verdict("GET", "cmdb/firewall/address/c/d"), "400");
  t.equal(prepared().verdict("DELETE", "cmdb/firewall/address/10.0.0.0/24"), "400");
});

t.test("switch: POST of a member that is there", async (t) => {
  for (const [childDuplicate, expected] of [
    ["success", "200"],
    [-5, "500/-5"],
    [-15, "500/-15"],
  ] as const) {
    const client = prepared({ switches: { childDuplicate } });
    t.equal(client.verdict("POST", `${GROUP}/g/member`, { name: "a" }), expected);
    t.strictSame(members(client), ["a", "b"]);
  }
  t.equal(prepared().ask("POST", `${GROUP}/g/member`, { name: "a" }).body.revision_changed, false);
});

t.test("switch: DELETE of a member that is not there", async (t) => {
  for (const [childMissing, expected] of [
    [404, "404"],
    ["success", "200"],
    [-3, "500/-3"],
  ] as const) {
    t.equal(prepared({ switches: { childMissing } }).verdict("DELETE", `${GROUP}/g/member/nobody`), expected);
  }
});

t.test("switch: removing the last member below 7.2", async (t) => {
  for (const [profile, lastMember, expected] of [
    ["7.0", "refused", "500/-56"],
    ["7.0", "allowed", "200"],
    ["7.2", "refused", "200"],
  ] as const) {
    const client = prepared({ profile, switches: { lastMember } });
    client.done("DELETE", `${GROUP}/g/member/a`);
    t.equal(client.verdict("DELETE", `${GROUP}/g/member/b`), expected, `${profile} ${lastMember}`);
    t.strictSame(members(client), expected === "200" ? [] : ["b"]);
  }
});

t.test("DELETE without a key empties the table", async (t) => {
  const client = prepared({ profile: "7.4" });
  t.equal(client.verdict("DELETE", `${GROUP}/g/member`), "200");
  t.strictSame(members(client), []);
  t.equal(prepared({ profile: "6.4" }).verdict("DELETE", `${GROUP}/g/member`), "500/-56");
});

t.test("deeper tables, and rows that can be edited", async (t) => {
  const client = prepared();
  client.done("POST", `${GROUP}/g/tagging`, { name: "one", category: "x" });
  client.done("POST", `${GROUP}/g/tagging/one/tags`, { name: "blue" });
  client.done("PUT", `${GROUP}/g/tagging/one`, { category: "y" });
  t.strictSame(client.rows(`${GROUP}/g/tagging/one`), [
    { name: "one", q_origin_key: "one", category: "y", tags: [{ name: "blue", q_origin_key: "blue" }] },
  ]);
  t.strictSame(client.rows(`${GROUP}/g/tagging/one/tags`), [{ name: "blue", q_origin_key: "blue" }]);
  client.done("DELETE", `${GROUP}/g/tagging/one/tags/blue`);
  t.strictSame(client.rows(`${GROUP}/g/tagging/one/tags`), []);
  t.equal(client.verdict("PUT", `${GROUP}/g/tagging/two`, { category: "y" }), "404");
});

t.test("two writers by child calls do not overwrite each other", async (t) => {
  const client = prepared();
  client.done("POST", `${GROUP}/g/member`, { name: "c/d e" });
  client.done("DELETE", `${GROUP}/g/member/a`);
  client.done("POST", `${GROUP}/g/member`, { name: "none" });
  t.strictSame(members(client), ["b", "c/d e", "none"]);
});
