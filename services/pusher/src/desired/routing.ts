import type { Configuration } from "../configuration.ts";
import { matches } from "./pattern.ts";

/** What routing needs of the adapter's names (fortigate/naming.ts fits). */
export interface ParentNames {
  /** May a user's group be called so? */
  isParentName(name: string): boolean;
  /** Is the name kept for Podgate's own objects? */
  isReserved(name: string): boolean;
}

export interface BusGroup {
  readonly cluster: string;
  /** As on the bus: `web`, or `shop/web`. */
  readonly group: string;
}

/** A group of a cluster on one target. */
export interface Routed extends BusGroup {
  readonly target: string;
  /** The user's group on the firewall. */
  readonly parent: string;
  /** Index of the route. */
  readonly route: number;
}

export interface Routes {
  readonly routed: readonly Routed[];
  /** What does not go somewhere it could, in words. */
  readonly refused: readonly (BusGroup & { readonly reason: string })[];
}

interface Reach {
  readonly target: string;
  /** Index of the route. */
  readonly route: number;
  readonly parent: string;
}

/**
 * Which group of which cluster goes where, by the configuration alone. Nothing goes anywhere without a route; the
 * first route that fits decides for its target. A group on a firewall belongs to one route and one group of the bus:
 * the first in the order of routes, then of names. Equal groups of several clusters unite in it only where that
 * route lists those clusters; everything else that would land there is refused as a conflict.
 */
export class Routing {
  readonly #configuration: Pick<Configuration, "clusters" | "routes">;
  readonly #names: ParentNames;
  readonly #reached = new Map<
    string,
    { readonly reaches: readonly Reach[]; readonly refused: readonly string[] }
  >();

  constructor(configuration: Pick<Configuration, "clusters" | "routes">, names: ParentNames) {
    this.#configuration = configuration;
    this.#names = names;
  }

  /** @param groups all that exist now: who owns a name depends on who wants it */
  route(groups: Iterable<BusGroup>): Routes {
    const refused: (BusGroup & { reason: string })[] = [];
    const owners = new Map<string, Reach & BusGroup>();
    const claims: (Reach & BusGroup)[] = [];
    for (const { cluster, group } of groups) {
      const { reaches, refused: reasons } = this.#reach(cluster, group);
      for (const reason of reasons) refused.push({ cluster, group, reason });
      for (const reach of reaches) {
        const claim = { ...reach, cluster, group };
        claims.push(claim);
        const place = `${reach.target} ${reach.parent}`;
        const owner = owners.get(place);
        if (owner === undefined || isBefore(claim, owner)) owners.set(place, claim);
      }
    }
    const routed: Routed[] = [];
    for (const { cluster, group, target, parent, route } of claims) {
      const owner = owners.get(`${target} ${parent}`);
      if (owner === undefined || (owner.route === route && owner.group === group)) {
        routed.push({ cluster, group, target, parent, route });
      } else {
        const reason = `conflict: "${parent}" on ${target} belongs to group ${owner.group} by routes[${owner.route}]; give this one another name`;
        refused.push({ cluster, group, reason });
      }
    }
    return { routed, refused };
  }

  /** Index of the route that leads a group to a target, whether or not the group exists; undefined = none does. */
  routeOf(cluster: string, group: string, target: string): number | undefined {
    return this.#reach(cluster, group).reaches.find((reach) => reach.target === target)?.route;
  }

  /** Where one group would go if it were alone. */
  #reach(cluster: string, group: string): { reaches: readonly Reach[]; refused: readonly string[] } {
    const key = `${cluster} ${group}`;
    let known = this.#reached.get(key);
    if (known === undefined) this.#reached.set(key, (known = this.#compute(cluster, group)));
    return known;
  }

  #compute(cluster: string, group: string): { reaches: readonly Reach[]; refused: readonly string[] } {
    const { clusters, routes } = this.#configuration;
    const allowed = clusters.find(({ name }) => name === cluster)?.groups ?? [];
    if (!allowed.some((pattern) => matches(pattern, group)))
      return {
        reaches: [],
        refused: [`cluster ${cluster} may not feed this group: its "groups" do not name it`],
      };
    const reaches: Reach[] = [];
    const refused: string[] = [];
    const decided = new Set<string>();
    routes.forEach((route, at) => {
      if (!route.clusters.includes(cluster) || !route.groups.some((pattern) => matches(pattern, group)))
        return;
      for (const target of route.targets) {
        if (decided.has(target)) continue;
        decided.add(target);
        const name = firewallName(group, route.name);
        const fault = this.#fault(name);
        if (fault === undefined) reaches.push({ target, route: at, parent: name ?? "" });
        else refused.push(`${target}: ${fault} (routes[${at}])`);
      }
    });
    if (decided.size === 0) refused.push("no route takes this group");
    return { reaches, refused };
  }

  #fault(name: string | undefined): string | undefined {
    if (name === undefined) return "the route's name needs {namespace}, and this group has none";
    if (!this.#names.isParentName(name)) return `"${name}" is no name for a group on the firewall`;
    if (this.#names.isReserved(name)) return `"${name}" is kept for Podgate's own objects`;
    return undefined;
  }
}

const isBefore = (a: Reach & BusGroup, b: Reach & BusGroup): boolean =>
  a.route === b.route ? a.group < b.group : a.route < b.route;

/** `web` and `shop.web` by default; undefined where the template asks for a namespace that the group lacks. */
function firewallName(group: string, template = "{group}"): string | undefined {
  const slash = group.indexOf("/");
  const namespace = slash === -1 ? undefined : group.slice(0, slash);
  const name = group.slice(slash + 1);
  if (namespace === undefined && template.includes("{namespace}")) return undefined;
  const parts = {
    group: namespace === undefined ? name : `${namespace}.${name}`,
    namespace: namespace ?? "",
    name,
  };
  return template.replaceAll(/\{(group|namespace|name)\}/g, (_, part: keyof typeof parts) => parts[part]);
}
