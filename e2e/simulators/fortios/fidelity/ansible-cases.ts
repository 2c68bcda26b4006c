/** What is asked of the Ansible collection, as a playbook (JSON is YAML). */
export interface Case {
  /** Row of the table. */
  readonly name: string;
  readonly module: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Jinja expressions over `r`, the module's result; all must hold. */
  readonly expect: readonly string[];
}

interface FamilyFacts {
  readonly label: "v4" | "v6";
  readonly address: string;
  readonly group: string;
  readonly field: string;
  readonly value: string;
  readonly readBack: string;
  readonly other: string;
  readonly otherReadBack: string;
}

const V4: FamilyFacts = {
  label: "v4",
  address: "firewall_address",
  group: "firewall_addrgrp",
  field: "subnet",
  value: "10.1.2.3/32",
  readBack: "10.1.2.3 255.255.255.255",
  other: "10.1.2.0 255.255.255.0",
  otherReadBack: "10.1.2.0 255.255.255.0",
};
const V6: FamilyFacts = {
  label: "v6",
  address: "firewall_address6",
  group: "firewall_addrgrp6",
  field: "ip6",
  value: "2001:db8::7/128",
  readBack: "2001:db8::7/128",
  other: "2001:DB8:0:1::/64",
  otherReadBack: "2001:db8:0:1::/64",
};

const CHANGED = ["not r.failed", "r.changed"];
const UNCHANGED = ["not r.failed", "not r.changed"];
const refused = (code: number): string[] => ["r.failed", `r.meta.error == ${String(code)}`];
const names = (...members: readonly string[]): { name: string }[] => members.map((name) => ({ name }));

const table = (name: string): string => name.replace("firewall_", "");
const members = (...list: readonly string[]): string =>
  `(r.meta.results[0].member | map(attribute='name') | sort | list) == ${JSON.stringify(list).replaceAll('"', "'")}`;

function family(facts: FamilyFacts): Case[] {
  const { label, address, group, field } = facts;
  const fortios = "fortinet.fortios.fortios_";
  const set = (
    kind: string,
    name: string,
    more: object,
    state = "present",
  ): Pick<Case, "module" | "args"> => ({
    module: `${fortios}${kind}`,
    args: { vdom: "root", state, [kind]: { name, ...more } },
  });
  const member = (state: "present" | "absent", name: string): Pick<Case, "module" | "args"> => ({
    module: `${fortios}${group}`,
    args: {
      vdom: "root",
      state: "present",
      member_path: "member:name",
      member_state: state,
      [group]: { name: "f-g1", member: names(name) },
    },
  });
  const read = (kind: string, name: string): Pick<Case, "module" | "args"> => ({
    module: `${fortios}configuration_fact`,
    args: { vdom: "root", selector: kind, params: { name } },
  });
  // The fact module is slow to start (its list of selectors is long): most reads take the plain one.
  const look = (kind: string, name: string): Pick<Case, "module" | "args"> => ({
    module: `${fortios}json_generic`,
    args: {
      vdom: "root",
      json_generic: { method: "GET", path: `/api/v2/cmdb/firewall/${table(kind)}/${name}`, jsonbody: "" },
    },
  });
  const generic = (method: string, path: string, body: object): Pick<Case, "module" | "args"> => ({
    module: `${fortios}json_generic`,
    args: {
      vdom: "root",
      json_generic: { method, path: `/api/v2/cmdb/firewall/${path}`, jsonbody: JSON.stringify(body) },
    },
  });
  return [
    {
      name: "address create",
      ...set(address, "f-a1", { [field]: facts.value, comment: "one" }),
      expect: CHANGED,
    },
    {
      name: "address create again: idempotent",
      ...set(address, "f-a1", { [field]: facts.value, comment: "one" }),
      expect: UNCHANGED,
    },
    {
      name: "address read",
      ...read(address, "f-a1"),
      expect: [
        "not r.failed",
        `r.meta.results[0]['${field}'] == '${facts.readBack}'`,
        "r.meta.results[0].comment == 'one'",
        "r.meta.results | length == 1",
      ],
    },
    { name: "address change", ...set(address, "f-a1", { [field]: facts.other }), expect: CHANGED },
    {
      name: "address change kept the rest",
      ...look(address, "f-a1"),
      expect: [
        `r.meta.results[0]['${field}'] == '${facts.otherReadBack}'`,
        "r.meta.results[0].comment == 'one'",
      ],
    },
    {
      name: "address bad value",
      ...set(address, "f-bad", { [field]: "not-an-ip" }),
      expect: ["r.failed", "r.meta.http_status == 500"],
    },
    {
      name: "address name too long",
      ...set(address, "x".repeat(80), { [field]: facts.value }),
      expect: ["r.failed", "r.meta.http_status == 500"],
    },
    { name: "address second", ...set(address, "f-a2", { [field]: facts.value }), expect: CHANGED },
    {
      name: "address name with a space and a slash",
      ...set(address, "f a/3", { [field]: facts.value }),
      expect: CHANGED,
    },
    {
      name: "group create",
      ...set(group, "f-g1", { member: names("f-a1"), comment: "grp" }),
      expect: CHANGED,
    },
    {
      name: "group create again: idempotent",
      ...set(group, "f-g1", { member: names("f-a1"), comment: "grp" }),
      expect: UNCHANGED,
    },
    { name: "group read", ...read(group, "f-g1"), expect: ["not r.failed", members("f-a1")] },
    { name: "group change comment", ...set(group, "f-g1", { comment: "other" }), expect: CHANGED },
    {
      name: "group change kept the members",
      ...look(group, "f-g1"),
      expect: [members("f-a1"), "r.meta.results[0].comment == 'other'"],
    },
    { name: "group append member", ...member("present", "f-a2"), expect: CHANGED },
    { name: "group append member again", ...member("present", "f-a2"), expect: UNCHANGED },
    { name: "group append odd name", ...member("present", "f a/3"), expect: CHANGED },
    { name: "group has all members", ...look(group, "f-g1"), expect: [members("f a/3", "f-a1", "f-a2")] },
    { name: "group remove member", ...member("absent", "f-a1"), expect: CHANGED },
    { name: "group has the rest", ...look(group, "f-g1"), expect: [members("f a/3", "f-a2")] },
    {
      name: "group append unknown member",
      ...member("present", "f-nobody"),
      expect: ["r.failed", "r.meta[0].error == -3"],
    },
    {
      name: "group replace members",
      ...set(group, "f-g1", { member: names("f-a1", "f-a2") }),
      expect: CHANGED,
    },
    {
      name: "group with unknown member",
      ...set(group, "f-g2", { member: names("f-nobody") }),
      expect: refused(-3),
    },
    {
      name: "group name of an address",
      ...set(group, "f-a1", { member: names("f-a2") }),
      expect: refused(-163),
    },
    {
      name: "group empty",
      ...generic("POST", table(group), { name: "f-empty", member: [] }),
      expect: ["{{EMPTY}}"],
    },
    { name: "group in a group", ...set(group, "f-g3", { member: names("f-g1") }), expect: CHANGED },
    { name: "address delete in use", ...set(address, "f-a1", {}, "absent"), expect: refused(-23) },
    { name: "group delete in use", ...set(group, "f-g1", {}, "absent"), expect: refused(-23) },
    {
      name: "address rename in use",
      ...generic("PUT", `${table(address)}/f-a1`, { name: "f-a9" }),
      expect: CHANGED,
    },
    { name: "group has the new name", ...look(group, "f-g1"), expect: [members("f-a2", "f-a9")] },
    {
      name: "group rename in use",
      ...generic("PUT", `${table(group)}/f-g1`, { name: "f-g9" }),
      expect: CHANGED,
    },
    { name: "parent has the new name", ...look(group, "f-g3"), expect: [members("f-g9")] },
    {
      name: "filter and format",
      module: `${fortios}configuration_fact`,
      args: { vdom: "root", selector: address, filters: ["name=@f-a"], formatters: ["name", field] },
      expect: ["r.meta.results | length == 2", `'comment' not in r.meta.results[0]`],
    },
    { name: "group delete", ...set(group, "f-g3", {}, "absent"), expect: CHANGED },
    { name: "group delete child", ...set(group, "f-g9", {}, "absent"), expect: CHANGED },
    { name: "address delete", ...set(address, "f-a9", {}, "absent"), expect: CHANGED },
    {
      name: "address delete again: tolerated",
      ...set(address, "f-a9", {}, "absent"),
      expect: ["not r.failed", "r.meta.http_status == 404"],
    },
    { name: "address delete odd name", ...set(address, "f a/3", {}, "absent"), expect: CHANGED },
    { name: "address delete last", ...set(address, "f-a2", {}, "absent"), expect: CHANGED },
  ].map((item) => Object.assign(item, { name: `${label} ${item.name}` }));
}

export const ANSIBLE_CASES: readonly Case[] = [...family(V4), ...family(V6)];

/** @param wrongToken the run is about a token that is not good */
export function playbook(cases: readonly Case[], wrongToken: boolean): unknown {
  const tasks = cases.map(({ name, module, args, expect }) => ({
    name,
    [module]: args,
    register: "r",
    failed_when: `not (${expect.map((item) => `(${item === "{{EMPTY}}" ? EMPTY : item})`).join(" and ")})`,
    ignore_errors: true,
  }));
  const wrong = {
    name: "wrong token",
    "fortinet.fortios.fortios_configuration_fact": { vdom: "root", selector: "firewall_address" },
    register: "r",
    failed_when: "not r.failed",
    ignore_errors: true,
  };
  return [{ hosts: "all", strategy: "free", gather_facts: false, tasks: wrongToken ? [wrong] : tasks }];
}

/** An empty group is refused below 7.2. */
const EMPTY = "r.failed != empty_allowed";
