import { FIREWALL_NAME } from "@podgate/shared/contract/names";

export interface ConfigurationFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Targets of one device share its queue, its budget and its lockout. @returns host, and port where it is not the default */
export const deviceOf = (url: string): string => URL.parse(url)?.host ?? url;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Faults that no single field shows. Looks at a configuration that may be wrong in any other way too, so that
 * everything is told at once; what is not of the right type is passed over here.
 */
export function crossFaults(configuration: unknown): ConfigurationFault[] {
  const root = fields(configuration);
  const clusters = list(root["clusters"]);
  const targets = list(root["targets"]);
  const routes = list(root["routes"]);
  return [
    ...repeated(clusters, ({ name }) => text(name)).map((at) => ({
      path: ["clusters", at, "name"],
      message: "this name stands twice; give each cluster its own",
    })),
    ...repeated(targets, ({ name }) => text(name)).map((at) => ({
      path: ["targets", at, "name"],
      message: "this name stands twice; give each target its own",
    })),
    ...repeated(targets, ({ url, vdom }) => onDevice(url, text(vdom))).map((at) => ({
      path: ["targets", at, "url"],
      message: "this device and VDOM stand twice; two writers would fight: remove one",
    })),
    ...targets.flatMap((target, at) => targetFaults(target, at, targets)),
    ...routes.flatMap((route, at) => routeFaults(route, at, clusters, targets)),
    ...nameConflicts(routes),
  ];
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

function targetFaults(target: Fields, at: number, targets: readonly Fields[]): ConfigurationFault[] {
  const found: ConfigurationFault[] = [];
  const url = text(target["url"]);
  const parsed = url === undefined ? undefined : URL.parse(url);
  if (parsed === null) {
    found.push({ path: ["targets", at, "url"], message: "is no URL; is the port between 1 and 65535?" });
  }
  if (parsed?.protocol === "http:" && !LOOPBACK.test(parsed.hostname)) {
    found.push({ path: ["targets", at, "url"], message: "a token is never sent over plain HTTP; use https" });
  }
  const first = targets.find((other) => onDevice(other["url"]) === onDevice(url));
  if (parsed && first !== undefined && first !== target) {
    for (const field of ["burst", "perSecond"]) {
      if (first[field] === target[field]) continue;
      found.push({
        path: ["targets", at, field],
        message: `targets of one device share its budget; give it the value of target ${shown(first["name"])} (${shown(first[field])})`,
      });
    }
  }
  return found;
}

function routeFaults(
  route: Fields,
  at: number,
  clusters: readonly Fields[],
  targets: readonly Fields[],
): ConfigurationFault[] {
  const found: ConfigurationFault[] = [];
  if (text(route["polarity"]) === "deny" && fields(route["whenSilent"])["removeAfterSeconds"] !== undefined) {
    found.push({
      path: ["routes", at, "whenSilent"],
      message: "a deny group would open the firewall when its cluster is silent; use keep",
    });
  }
  const unknown = (field: "targets" | "clusters", known: readonly Fields[], one: string): void => {
    texts(route[field]).forEach((name, i) => {
      if (known.some((each) => each["name"] === name)) return;
      const names = texts(known.map((each) => each["name"])).join(", ") || "none";
      found.push({
        path: ["routes", at, field, i],
        message: `no such ${one} (there are: ${names}); define it under ${field}`,
      });
    });
  };
  unknown("targets", targets, "target");
  unknown("clusters", clusters, "cluster");
  const template = text(route["name"]);
  if (template === undefined) return found;
  const bare = template.replaceAll(PLACEHOLDER, "x");
  if (!FIREWALL_NAME.test(bare)) {
    found.push({
      path: ["routes", at, "name"],
      message: "must be a FortiOS group name, with {group}, {namespace} and {name} as the only placeholders",
    });
  }
  const groups = texts(route["groups"]);
  if (bare === template && (groups.length > 1 || groups.some((group) => group.includes("*")))) {
    found.push({
      path: ["routes", at, "name"],
      message: "several groups would share one name; put {group} into it",
    });
  }
  return found;
}

const PLACEHOLDER = /\{(?:group|namespace|name)\}/g;

/**
 * Two groups that would be one on a firewall without a route that says so. Only groups that are named in full are
 * looked at; what a pattern catches is known when it is met.
 */
function nameConflicts(routes: readonly Fields[]): ConfigurationFault[] {
  const found: ConfigurationFault[] = [];
  const taken = new Map<string, { readonly at: number; readonly group: string }>();
  routes.forEach((route, at) => {
    const groups = texts(route["groups"]).filter((group) => !group.includes("*"));
    for (const target of texts(route["targets"])) {
      for (const group of groups) {
        const name = firewallName(text(route["name"]), group);
        const first = taken.get(`${target} ${name}`);
        if (first === undefined) taken.set(`${target} ${name}`, { at, group });
        else if (first.at !== at || first.group !== group) {
          const clusters = texts(routes[first.at]?.["clusters"]);
          const same =
            first.group === group && texts(route["clusters"]).every((each) => clusters.includes(each));
          if (same) continue;
          found.push({
            path: ["routes", at, "groups"],
            message: `${group} would be "${name}" on ${target}, as ${first.group} of routes[${first.at}] is; list all clusters in one route, or give it another name`,
          });
        }
      }
    }
  });
  return found;
}

function firewallName(template: string | undefined, group: string): string {
  const plain = group.replace("/", ".");
  const slash = group.indexOf("/");
  return (template ?? "{group}")
    .replaceAll("{group}", plain)
    .replaceAll("{namespace}", slash < 0 ? "" : group.slice(0, slash))
    .replaceAll("{name}", group.slice(slash + 1));
}

function onDevice(url: unknown, vdom = ""): string | undefined {
  const known = text(url);
  return known === undefined ? undefined : `${deviceOf(known)} ${vdom}`;
}

function repeated(entries: readonly Fields[], key: (entry: Fields) => string | undefined): number[] {
  const keys = entries.map(key);
  return keys.flatMap((value, at) => (value !== undefined && keys.indexOf(value) < at ? [at] : []));
}

/** One of the wrong type has a fault of its own, which shows it. */
const shown = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "?";
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : []);
