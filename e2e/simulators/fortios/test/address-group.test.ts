import t from "tap";
import { PROFILE_LINES } from "../src/profile.ts";
import { ADDRESS, Client, GROUP, GROUP6, names } from "./client.ts";

const member = (client: Client, group: string, path = GROUP): unknown =>
  client.rows(`${path}/${group}`)[0]?.["member"];

t.test("PUT merges fields and replaces tables whole", async (t) => {
  for (const profile of PROFILE_LINES) {
    const client = new Client({ profile });
    for (const name of ["a", "b", "c"]) client.address(name);
    client.group("g", "a", "b");
    client.done("PUT", `${GROUP}/g`, { comment: "hello" });
    t.strictSame(
      client.device.group("root", "g")?.members,
      ["a", "b"],
      `${profile}: comment alone keeps the members`,
    );
    client.done("PUT", `${GROUP}/g`, { member: names("c") });
    t.strictSame(client.device.group("root", "g")?.members, ["c"], "members are replaced");
    t.equal(client.device.group("root", "g")?.comment, "hello", "members alone keep the comment");
  }
});

t.test("rows of a table carry q_origin_key, and may be sent back with it", async (t) => {
  const client = new Client();
  client.address("a");
  client.group("g", "a");
  const rows = member(client, "g");
  t.strictSame(rows, [{ name: "a", q_origin_key: "a" }]);
  t.equal(client.verdict("PUT", `${GROUP}/g`, { member: rows }), "200");
});

t.test("members that are refused", async (t) => {
  const cases: [string, unknown, string][] = [
    ["unknown", names("a", "nobody"), "500/-3"],
    ["twice", names("a", "a"), "500/-15"],
    ["blank", names(""), "500/-56"],
    ["text instead of a list", "a", "500/-651"],
    ["list of texts", ["a"], "500/-651"],
    ["null", null, "500/-651"],
    ["number as a name", [{ name: 1 }], "500/-651"],
    ["IPv6 address", names("six"), "500/-3"],
    ["80 characters", names("x".repeat(80)), "500/-1"],
  ];
  for (const [what, list, expected] of cases) {
    const client = new Client();
    client.address("a");
    client.address("b");
    client.done("POST", "cmdb/firewall/address6", { name: "six", ip6: "2001:db8::1/128" });
    client.group("g", "b");
    t.equal(client.verdict("POST", GROUP, { name: "new", member: list }), expected, `POST ${what}`);
    t.equal(client.verdict("PUT", `${GROUP}/g`, { member: list, comment: "x" }), expected, `PUT ${what}`);
    const group = client.device.group("root", "g");
    t.strictSame([group?.members, group?.comment], [["b"], ""], "all or nothing");
    t.equal(client.device.group("root", "new"), undefined);
  }
});

t.test("the message of a missing member names it", async (t) => {
  const client = new Client();
  const missing = client.ask("POST", GROUP, { name: "g", member: names("nobody") }).body;
  t.match(missing.cli_error, /value parse error before 'nobody'\nCommand fail. Return code -3\n/);
  client.device.switches = { ...client.device.switches, missingReference: -651 };
  const other = client.ask("POST", GROUP, { name: "g", member: names("nobody") }).body;
  t.equal(other.error, -651);
  t.match(other.cli_error, /node_check_object fail! for name nobody\n\nvalue parse error before 'nobody'/);
});

t.test("an empty group is refused below 7.2, allowed from there on", async (t) => {
  for (const profile of PROFILE_LINES) {
    const allowed = ["7.2", "7.4", "7.6"].includes(profile);
    for (const path of [GROUP, GROUP6]) {
      const client = new Client({ profile });
      t.equal(client.verdict("POST", path, { name: "g" }), allowed ? "200" : "500/-56", `${profile} ${path}`);
      t.equal(client.verdict("POST", path, { name: "h", member: [] }), allowed ? "200" : "500/-56");
      client.done("POST", path, { name: "i", member: names("none") });
      t.equal(client.verdict("PUT", `${path}/i`, { member: [] }), allowed ? "200" : "500/-56");
    }
  }
  t.equal(new Client({ profile: "7.0.6" }).verdict("POST", GROUP, { name: "g" }), "500/-56");
  t.equal(new Client({ profile: "7.2.0" }).verdict("POST", GROUP, { name: "g" }), "200");
});

t.test("switch: empty groups whatever the release", async (t) => {
  t.equal(
    new Client({ profile: "6.2", switches: { emptyGroup: "allowed" } }).verdict("POST", GROUP, { name: "g" }),
    "200",
  );
  t.equal(
    new Client({ profile: "7.6", switches: { emptyGroup: "refused" } }).verdict("POST", GROUP, { name: "g" }),
    "500/-56",
  );
});

t.test("switch: none as a placeholder", async (t) => {
  const body = { name: "g", member: names("none") };
  t.equal(new Client({ profile: "7.0" }).verdict("POST", GROUP, body), "200");
  t.equal(
    new Client({ profile: "7.0", switches: { placeholder: "refused" } }).verdict("POST", GROUP, body),
    "500/-651",
  );
});

t.test("addresses and groups of one family share their names, the families do not", async (t) => {
  const client = new Client();
  client.address("a");
  client.group("g", "a");
  t.equal(client.verdict("POST", GROUP, { name: "a", member: names("a") }), "500/-163");
  t.equal(client.verdict("POST", ADDRESS, { name: "g", subnet: "10.0.0.1/32" }), "500/-163");
  t.equal(client.verdict("PUT", `${GROUP}/g`, { name: "a" }), "500/-163", "by renaming, too");
  t.equal(client.verdict("POST", GROUP6, { name: "a", member: names("none") }), "200");
  t.equal(client.verdict("POST", "cmdb/firewall/address6", { name: "g", ip6: "::1/128" }), "200");
});

t.test("groups in groups, and no loops", async (t) => {
  for (const loopCode of [-651, -7]) {
    const client = new Client({ switches: { loopCode } });
    client.address("a");
    client.group("low", "a");
    client.group("mid", "low");
    client.group("top", "mid");
    t.equal(client.verdict("PUT", `${GROUP}/low`, { member: names("top") }), `500/${String(loopCode)}`);
    t.equal(client.verdict("PUT", `${GROUP}/low`, { member: names("low") }), `500/${String(loopCode)}`);
    t.equal(client.verdict("POST", `${GROUP}/low/member`, { name: "mid" }), `500/${String(loopCode)}`);
    t.equal(
      client.verdict("POST", GROUP, { name: "self", member: names("self") }),
      "500/-3",
      "it does not exist yet",
    );
    t.strictSame(client.device.resolve("root", "top"), ["10.0.0.1"]);
  }
});

t.test("switch: how deep groups may be nested", async (t) => {
  const client = new Client({ switches: { nestingDepth: 2 } });
  client.address("a");
  client.group("low", "a");
  client.group("mid", "low");
  t.equal(client.verdict("POST", GROUP, { name: "top", member: names("mid") }), "500/-651");
  client.group("other", "a");
  t.equal(client.verdict("PUT", `${GROUP}/low`, { member: names("other") }), "500/-651", "from below, too");
});

t.test("exclude needs somebody to exclude; a folder keeps its members to itself", async (t) => {
  const client = new Client();
  client.address("a");
  client.address("b");
  const body = { name: "g", member: names("a"), exclude: "enable" };
  t.equal(client.verdict("POST", GROUP, body), "500/-56");
  t.equal(client.verdict("POST", GROUP, { ...body, "exclude-member": names("b") }), "200");
  client.done("POST", GROUP, { name: "folder", type: "folder", member: [] });
  t.equal(client.verdict("PUT", `${GROUP}/folder`, { member: names("a") }), "500/-651");
  client.address("c");
  t.equal(client.verdict("PUT", `${GROUP}/folder`, { member: names("c") }), "200");
  t.equal(client.verdict("POST", GROUP, { name: "other", member: names("c") }), "500/-651");
});

const fields = (profile: string, path: string): string[] => {
  const client = new Client({ profile });
  client.done("POST", path, { name: "g", member: names("none") });
  return Object.keys(client.rows(`${path}/g`)[0] ?? {});
};

const since = (path: string, field: string): string[] =>
  PROFILE_LINES.filter((profile) => fields(profile, path).includes(field));

t.test("fields of groups by release", async (t) => {
  t.strictSame(since(GROUP, "type"), ["6.4", "7.0", "7.2", "7.4", "7.6"]);
  t.strictSame(since(GROUP, "category"), ["7.0", "7.2", "7.4", "7.6"]);
  t.strictSame(since(GROUP, "exclude"), PROFILE_LINES);
  t.strictSame(since(GROUP6, "exclude"), ["7.4", "7.6"]);
  t.strictSame(since(GROUP6, "visibility"), ["6.2"]);
  t.strictSame(since(GROUP6, "type"), []);
});
