import type { Replica } from "./replica.ts";

/**
 * A place in the services that calls into the world, and from where it was called: `pusher bus.put memory.ts:69 <
 * lockout.ts:103`. Many calls go through a few lines; who asked for them tells them apart.
 */
export type Site = string;

/** Frames of the stack that are looked through, and those of the product among them that name a site. */
const FRAMES = 20;
const NAMED = 3;
const PRODUCT = /(?:services\/[a-z]+|shared)\/src\/([^:)]+:\d+)/g;

/** Which line of the product makes the call that is being made. */
export function siteOf(replica: Replica, call: string): Site {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const stack = new Error(call).stack ?? "";
  Error.stackTraceLimit = before;
  const lines = [...stack.matchAll(PRODUCT)].slice(0, NAMED).map(([, line = ""]) => line);
  return `${replica.name.split("-")[0] ?? ""} ${call} ${lines.join(" < ")}`;
}

/** Notes every call of these replicas, and how often each site made one. */
export function listSites(replicas: readonly Replica[], seen: Map<Site, number>): void {
  for (const replica of replicas)
    replica.probe = (call) => {
      const site = siteOf(replica, call);
      seen.set(site, (seen.get(site) ?? 0) + 1);
      return "pass";
    };
}

/** Lets the process die at one call of a site, and start again. @param nth which one; 1 = the first */
export function dieAt(
  replicas: readonly Replica[],
  where: { readonly site: Site; readonly nth: number; readonly fate: "die-before" | "die-after" },
  onDeath: (replica: Replica) => void,
): void {
  let count = 0;
  for (const replica of replicas)
    replica.probe = (call) => {
      if (count >= where.nth || siteOf(replica, call) !== where.site) return "pass";
      count += 1;
      if (count < where.nth) return "pass";
      onDeath(replica);
      return where.fate;
    };
}
