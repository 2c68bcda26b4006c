import type { Bus } from "@podgate/shared/bus/bus";
import { credentialsOf } from "@podgate/shared/bus/configuration";
import { natsBus } from "@podgate/shared/bus/nats";
import { clusterInbox } from "@podgate/shared/bus/permissions";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";

/** The bus as this cluster's own user. Connects in the background, for ever. */
export function busOf({ cluster, nats }: Configuration, onTrouble: (message: string) => void): Bus {
  const { servers, tls } = nats;
  return natsBus({
    servers,
    name: `podgate-watcher ${cluster}`,
    credentials: credentialsOf(nats),
    inboxPrefix: clusterInbox(cluster),
    clock: systemClock,
    random: systemRandom,
    onTrouble,
    ...(tls && { tls: withoutUndefined(tls) }),
  });
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
