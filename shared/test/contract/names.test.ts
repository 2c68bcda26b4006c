import t from "tap";
import { sameEpoch } from "../../src/contract/epoch.ts";
import { clusterName, groupName } from "../../src/contract/names.ts";

const takes = (schema: typeof clusterName, name: string): boolean => schema.safeParse(name).success;

t.test("a cluster's name is one RFC 1123 label", async (t) => {
  for (const name of ["a", "prod-1", "0", "a".repeat(63)]) t.ok(takes(clusterName, name), name);
  for (const name of ["", "-a", "a-", "A", "a.b", "a_b", "a b", "ä", "a".repeat(64), "a\n"]) {
    t.notOk(takes(clusterName, name), JSON.stringify(name));
  }
});

t.test("a group's name is one that FortiOS takes, a resource's, or namespace/name", async (t) => {
  for (const name of [
    "web",
    "Web Servers (old)".replace(/[()]/g, ""),
    "team.web",
    "a:b=c@d+e-f_g",
    "team/web.v1",
    `${"a".repeat(63)}/${"b".repeat(253)}`,
    `${"a".repeat(120)}.${"b".repeat(120)}`,
  ]) {
    t.ok(takes(groupName, name), name);
  }
  for (const name of [
    "",
    " web",
    "web ",
    "we<b",
    "we'b",
    'we"b',
    "we#b",
    "(web)",
    "team/",
    "/web",
    "a/b/c",
    "Team/web",
    "team/Web",
    `${"a".repeat(64)}/web`,
    `team/${"b".repeat(254)}`,
    "A".repeat(80),
    "a".repeat(254),
    "wéb",
    "web\n",
    "we\tb",
    "__proto__",
  ]) {
    t.notOk(takes(groupName, name), JSON.stringify(name));
  }
});

t.test("epochs are the same only with the same stream and the same claim", async (t) => {
  const epoch = { created: "2026-01-01T00:00:00Z", sequence: 5 };
  t.ok(sameEpoch(epoch, { ...epoch }));
  t.notOk(sameEpoch(epoch, { ...epoch, sequence: 6 }));
  t.notOk(sameEpoch(epoch, { ...epoch, created: "2026-01-02T00:00:00Z" }));
});
