import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Random } from "@podgate/shared/runtime/random";
import type { Configuration, TargetConfiguration } from "./configuration.ts";
import type { Observe } from "./reconcile/observe.ts";
import { Pusher } from "./reconcile/pusher.ts";
import { namesOf, targetFirewall, type TargetTransport } from "./target-firewall.ts";

/** The lowest ports: everything through which a pusher touches the world. */
export interface PusherPorts {
  readonly bus: Bus;
  readonly transport: (target: TargetConfiguration) => TargetTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observe: Observe;
  /** Of this process among those that share the devices, and of no other that ever was; default a random one. */
  readonly identity?: string;
}

/** The whole pusher over its ports. Sends nothing before `run`. */
export function compose(configuration: Configuration, ports: PusherPorts): Pusher {
  const { transport, identity, ...rest } = ports;
  const names = namesOf(configuration.install);
  return new Pusher(configuration, {
    ...rest,
    names,
    identity: identity ?? `pusher_${Math.floor(ports.random() * 2 ** 48).toString(36)}`,
    makeFirewall: (target, onFailover, mayCall) =>
      targetFirewall(target, transport(target), names, ports.clock, onFailover, mayCall),
  });
}
