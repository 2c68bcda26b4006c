import type { LogLine, Service } from "../stack/service.ts";
import type { Turn, Write } from "./late-writes.ts";
import type { World } from "./world.ts";

/** Those of which one at a time does the work: the beginning of their services' names. */
export type Role = "pusher" | "watcher-a" | "watcher-b";
export const WATCHING: readonly Role[] = ["watcher-a", "watcher-b"];

export interface Takeovers {
  /** Of the device. */
  readonly pushers: number;
  /** Of a cluster. */
  readonly watchers: number;
}

type Services = ReadonlyMap<string, Pick<Service, "log">>;

/** When which service of a role took the work over, from the beginning of the run, as they told themselves. */
export function turnsOf(services: Services, role: Role): Turn[] {
  return [...services]
    .filter(([name]) => name.startsWith(role))
    .flatMap(([name, { log }]) =>
      log.filter(isTurn).map(({ time }) => ({ at: new Date(time).getTime(), service: name })),
    )
    .toSorted((one, other) => one.at - other.at);
}

const isTurn = ({ msg, device }: LogLine): boolean =>
  msg === "leading" || (msg === "the lease is held from now on" && device !== undefined);

/** How often another one took over. @param since milliseconds since 1970 */
export function takeovers(services: Services, since: number): Takeovers {
  const count = (role: Role): number =>
    turnsOf(services, role).filter(({ at, service }, n, all) => {
      const before = all[n - 1]?.service;
      return at >= since && before !== undefined && before !== service;
    }).length;
  return { pushers: count("pusher"), watchers: WATCHING.reduce((sum, role) => sum + count(role), 0) };
}

/** What pushers wrote since the device's log was emptied. */
export function writesOf(world: World): Write[] {
  return world.scene.stack
    .firewall()
    .writes()
    .flatMap((entry) => {
      const service = world.pusherOf(entry.token);
      return service === undefined ? [] : [{ ...entry, service }];
    });
}
