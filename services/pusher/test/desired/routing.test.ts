import t from "tap";
import { Desired } from "../../src/desired/desired.ts";
import { matches } from "../../src/desired/pattern.ts";
import { Routing, type BusGroup } from "../../src/desired/routing.ts";
import { ClusterStandIn, feed } from "./cluster-stand-in.ts";
import { configured, NAMES, type Route } from "./configured.ts";

function route(routes: readonly Route[], groups: readonly string[], clusters = {}) {
  const all = groups.map((text): BusGroup => {
    const [cluster = "", group = ""] = text.split(" ");
    return { cluster, group };
  });
  const { routed, refused } = new Routing(configured(routes, clusters), NAMES).route(all);
  return {
    routed: routed.map(({ cluster, group, target, parent }) => `${cluster} ${group} > ${target} ${parent}`),
    refused: refused.map(({ cluster, group, reason }) => `${cluster} ${group}: ${reason}`),
  };
}

const named = (name: string, group: string) =>
  route([{ targets: ["fw"], clusters: ["a"], groups: ["*"], name }], [`a ${group}`]);

const PATTERNS: readonly (readonly [pattern: string, text: string, expected: boolean])[] = [
  ["web", "web", true],
  ["web", "web2", false],
  ["*", "", true],
  ["*", "shop/web", true],
  ["shop/*", "shop/web", true],
  ["shop/*", "shop", false],
  ["*-web", "a-web", true],
  ["*-web", "web", false],
  ["a*b*c", "axxbyyc", true],
  ["a*b*c", "axxcyyb", false],
  ["a*a", "a", false],
  ["*ab*ab*", "ab", false],
  ["a.c", "abc", false],
];
for (const [pattern, text, expected] of PATTERNS) {
  t.test(`pattern "${pattern}" ${expected ? "matches" : "does not match"} "${text}"`, (t) => {
    t.equal(matches(pattern, text), expected);
    t.end();
  });
}

t.test("nothing goes anywhere without a route", (t) => {
  t.same(route([{ targets: ["fw"], clusters: ["a"], groups: ["web"] }], ["a web", "a db", "b web"]), {
    routed: ["a web > fw web"],
    refused: ["a db: no route takes this group", "b web: no route takes this group"],
  });
  t.end();
});

t.test("a group of a namespace is called after both", (t) => {
  t.same(route([{ targets: ["fw"], clusters: ["a"], groups: ["*"] }], ["a shop/web"]).routed, [
    "a shop/web > fw shop.web",
  ]);
  t.end();
});

t.test("a route can name its groups", (t) => {
  t.same(named("k8s-{group}", "web").routed, ["a web > fw k8s-web"]);
  t.same(named("k8s-{group}", "shop/web").routed, ["a shop/web > fw k8s-shop.web"]);
  t.same(named("{name}@{namespace}", "shop/web").routed, ["a shop/web > fw web@shop"]);
  t.match(named("{name}@{namespace}", "web").refused, [/needs \{namespace\}/]);
  t.end();
});

t.test("names that the firewall refuses or that are Podgate's own are refused with the reason", (t) => {
  const routes = [{ targets: ["fw"], clusters: ["a"], groups: ["*"] }];
  t.match(route(routes, ["a pg.t.web.a.0"]).refused, [/kept for Podgate's own objects/]);
  t.match(route(routes, [`a ${"x".repeat(80)}`]).refused, [/is no name for a group/]);
  t.end();
});

t.test("the first route that fits decides for its target, later ones for other targets", (t) => {
  const routes = [
    { targets: ["fw"], clusters: ["a"], groups: ["web"], name: "first" },
    { targets: ["fw", "fw2"], clusters: ["a"], groups: ["w*"], name: "second-{group}" },
  ];
  t.same(route(routes, ["a web"]), { routed: ["a web > fw first", "a web > fw2 second-web"], refused: [] });
  t.end();
});

t.test("equal groups of several clusters unite where one route lists those clusters", (t) => {
  const routes = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }];
  t.same(route(routes, ["b web", "a web"]), { routed: ["b web > fw web", "a web > fw web"], refused: [] });
  t.end();
});

t.test("equal groups of two routes conflict: the first route wins, in whatever order they are known", (t) => {
  const routes = [
    { targets: ["fw"], clusters: ["a"], groups: ["*"] },
    { targets: ["fw"], clusters: ["b"], groups: ["*"] },
  ];
  for (const order of [
    ["a web", "b web"],
    ["b web", "a web"],
  ]) {
    const { routed, refused } = route(routes, order);
    t.same(routed, ["a web > fw web"]);
    t.match(refused, [/^b web: conflict: "web" on fw belongs to group web by routes\[0\]/]);
  }
  t.end();
});

t.test("two groups of the bus never share a group on the firewall: the first by name wins", (t) => {
  const { routed, refused } = route(
    [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }],
    ["a shop/web", "b shop.web"],
  );
  t.same(routed, ["b shop.web > fw shop.web"]);
  t.match(refused, [/^a shop\/web: conflict:.*belongs to group shop\.web/]);
  t.end();
});

t.test("a cluster feeds only the groups that its configuration names", (t) => {
  const routes = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }];
  const { routed, refused } = route(routes, ["a shop/web", "a db"], { a: { groups: ["shop/*"] } });
  t.same(routed, ["a shop/web > fw shop.web"]);
  t.match(refused, [/^a db: cluster a may not feed this group/]);
  t.end();
});

t.test("a group that is defined and empty has a source; one whose definition goes has none", (t) => {
  const cluster = new ClusterStandIn("a").define("web", "lost");
  const fold = cluster.fold();
  const desired = new Desired(
    configured([{ targets: ["fw"], clusters: ["a"], groups: ["web"] }]),
    NAMES,
    new Map([["a", fold]]),
  );
  const tell = (): unknown => desired.changed("a", { groups: "all" });
  feed(fold, [...cluster.session(), cluster.state()]);
  tell();
  const { sources } = desired.target("fw");
  t.match(sources, [{ key: "a web", parent: "web", defined: "yes", verified: true }]);
  t.same([...desired.unrouted("a")], [["lost", "no route takes this group"]]);
  tell();
  t.equal(desired.target("fw").sources, sources, "the same array while nothing came or went");
  cluster.undefine("web");
  feed(fold, [...cluster.session(), cluster.state()]);
  tell();
  t.same(desired.target("fw").sources, []);
  t.throws(() => desired.target("nowhere"), RangeError);
  t.end();
});

t.test("an event tells the key of its own source only", (t) => {
  const cluster = new ClusterStandIn("a").define("web", "db");
  const fold = cluster.fold();
  const desired = new Desired(
    configured([{ targets: ["fw"], clusters: ["a"], groups: ["*"] }]),
    NAMES,
    new Map([["a", fold]]),
  );
  feed(fold, cluster.session());
  t.equal(desired.changed("a", fold.take(cluster.state(), 0)), "all");
  t.same(desired.changed("a", fold.take(cluster.add("web", "10.0.0.1"), 0)), new Set(["a web"]));
  t.same(desired.changed("a", fold.take(cluster.state(), 0)), new Set());
  t.end();
});

t.test("addresses outside the cluster's ranges are refused one by one", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", "10.1.0.1");
  cluster.add("web", "192.0.2.1");
  cluster.add("web", "2001:db8::1");
  const fold = cluster.fold();
  const configuration = configured([{ targets: ["fw"], clusters: ["a"], groups: ["*"] }], {
    a: { cidrs: ["10.1.0.0/16", "2001:db8::/32"] },
  });
  const desired = new Desired(configuration, NAMES, new Map([["a", fold]]));
  feed(fold, [...cluster.session(), cluster.state()]);
  desired.changed("a", { groups: "all" });
  const [source] = desired.target("fw").sources;
  t.same([...(source?.members.keys() ?? [])], ["10.1.0.1", "2001:db8::1"]);
  t.match([...(source?.refused ?? [])], [["192.0.2.1", /outside the ranges of cluster a \(10\.1\.0\.0\/16/]]);
  desired.changed("a", fold.take(cluster.add("web", "10.1.0.2"), 0));
  t.same([...(source?.members.keys() ?? [])], ["10.1.0.1", "2001:db8::1", "10.1.0.2"], "a live view");
  t.end();
});

t.test("a single range keeps out what is not in it", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", "10.1.0.1");
  cluster.add("web", "10.2.0.1");
  const fold = cluster.fold();
  const routes = [{ targets: ["fw"], clusters: ["a"], groups: ["*"] }];
  const desired = new Desired(
    configured(routes, { a: { cidrs: ["10.1.0.0/16"] } }),
    NAMES,
    new Map([["a", fold]]),
  );
  feed(fold, [...cluster.session(), cluster.state()]);
  desired.changed("a", { groups: "all" });
  const [source] = desired.target("fw").sources;
  t.same([...(source?.members.keys() ?? [])], ["10.1.0.1"]);
  t.same([...(source?.refused.keys() ?? [])], ["10.2.0.1"]);
  t.end();
});

t.test("what a firewall holds of a cluster that is not heard keeps its name from others", (t) => {
  const [a, b] = [new ClusterStandIn("a").define("web"), new ClusterStandIn("b").define("web")];
  const folds = new Map([
    ["a", a.fold()],
    ["b", b.fold()],
  ]);
  const routes = [
    { targets: ["fw"], clusters: ["a"], groups: ["*"] },
    { targets: ["fw"], clusters: ["b"], groups: ["*"] },
  ];
  const desired = new Desired(configured(routes), NAMES, folds);
  const hear = (cluster: ClusterStandIn): void => {
    const fold = folds.get(cluster.name);
    if (fold === undefined) throw new Error("no fold");
    feed(fold, [...cluster.session(), cluster.state()]);
    desired.changed(cluster.name, { groups: "all" });
  };
  t.same([...desired.remember([{ cluster: "a", group: "web" }])], ["a web"]);
  hear(b);
  t.same(
    desired.target("fw").sources.map(({ key }) => key),
    ["a web"],
  );
  t.match(desired.target("fw").sources, [{ defined: "unknown", verified: false }]);
  t.match([...desired.unrouted("b")], [["web", /^conflict/]]);
  a.groups.delete("web");
  hear(a);
  t.same(
    desired.target("fw").sources.map(({ key }) => key),
    ["b web"],
    "a has no such group any more",
  );
  t.end();
});
