import type { Bus } from "@podgate/shared/bus/bus";
import { credentialsOf, tlsOf } from "@podgate/shared/bus/configuration";
import { natsBus } from "@podgate/shared/bus/nats";
import { clusterInbox } from "@podgate/shared/bus/permissions";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";

/** The bus as this cluster's own user. Connects in the background, for ever. */
export function busOf({ cluster, nats }: Configuration, onTrouble: (message: string) => void): Bus {
  return natsBus({
    servers: nats.servers,
    name: `podgate-watcher ${cluster}`,
    credentials: credentialsOf(nats),
    inboxPrefix: clusterInbox(cluster),
    clock: systemClock,
    random: systemRandom,
    onTrouble,
    ...tlsOf(nats),
  });
}
