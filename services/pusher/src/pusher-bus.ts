import type { Bus } from "@podgate/shared/bus/bus";
import { credentialsOf, tlsOf } from "@podgate/shared/bus/configuration";
import { natsBus } from "@podgate/shared/bus/nats";
import { PUSHER_INBOX } from "@podgate/shared/bus/permissions";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";

/** Connects in the background, for ever. */
export function pusherBus({ nats }: Configuration, onTrouble: (message: string) => void): Bus {
  return natsBus({
    servers: nats.servers,
    name: "podgate-pusher",
    credentials: credentialsOf(nats),
    inboxPrefix: PUSHER_INBOX,
    clock: systemClock,
    random: systemRandom,
    onTrouble,
    ...tlsOf(nats),
  });
}
