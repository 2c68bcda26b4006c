import t from "tap";
import { resolveConflicts } from "../../src/membership/conflicts.ts";
import type { GroupDefinition } from "../../src/membership/group-definition.ts";
import { group } from "./scene.ts";

function defined(
  kind: GroupDefinition["source"]["kind"],
  name: string,
  createdAt: number,
  claims = name,
): GroupDefinition {
  return group(claims, { source: { kind, name, uid: `${kind} ${name}`, createdAt, generation: 1 } });
}

function outcome(...definitions: GroupDefinition[]) {
  const { accepted, losers } = resolveConflicts(definitions);
  return {
    accepted: accepted.map(({ source }) => source.uid),
    losers: losers.map(({ definition, winner }) => `${definition.source.uid} < ${winner.source.uid}`),
  };
}

t.test("the older definition of one name wins, in whatever order they come", async (t) => {
  const old = defined("ClusterAddressGroup", "b", 1, "web");
  const young = defined("ClusterAddressGroup", "a", 2, "web");
  const expected = {
    accepted: ["ClusterAddressGroup b"],
    losers: ["ClusterAddressGroup a < ClusterAddressGroup b"],
  };
  t.strictSame(outcome(old, young), expected);
  t.strictSame(outcome(young, old), expected);
});

t.test("of equal age the first by kind and name wins", async (t) => {
  t.strictSame(
    outcome(defined("ClusterAddressGroup", "b", 1, "web"), defined("ClusterAddressGroup", "a", 1, "web")),
    {
      accepted: ["ClusterAddressGroup a"],
      losers: ["ClusterAddressGroup b < ClusterAddressGroup a"],
    },
  );
});

t.test("namespace/name and namespace.name are one group on a firewall", async (t) => {
  t.strictSame(
    outcome(defined("AddressGroup", "web", 1, "shop/web"), defined("ClusterAddressGroup", "shop.web", 2)),
    {
      accepted: ["AddressGroup web"],
      losers: ["ClusterAddressGroup shop.web < AddressGroup web"],
    },
  );
});

t.test("a static definition wins over any custom resource; different names do not meet", async (t) => {
  t.strictSame(
    outcome(
      defined("ClusterAddressGroup", "web", 1),
      defined("Static", "web", 0),
      defined("Static", "db", 0),
    ),
    {
      accepted: ["Static db", "Static web"],
      losers: ["ClusterAddressGroup web < Static web"],
    },
  );
});
