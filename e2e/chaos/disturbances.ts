import type { Random } from "./random.ts";
import { WATCHING, type Role } from "./turns.ts";
import { CLUSTERS, DEFAULT_LEASE_SECONDS, WRITE_MS, type World } from "./world.ts";

/** Something that goes wrong, and how it ends. All of it is decided before the round begins. */
export interface Disturbance {
  /** Its class: `cut`, `kill-pusher` … */
  readonly kind: string;
  /** The part it strikes: two at a time strike two parts. */
  readonly part: string;
  /** Milliseconds after the round's beginning, and how long it lasts. */
  readonly at: number;
  readonly ms: number;
  readonly strike: (world: World) => unknown;
  readonly heal: (world: World) => unknown;
}

type Draft = Omit<Disturbance, "kind" | "at" | "ms"> & { readonly leastMs?: number };
/** @param leaseSeconds of the pushers */
type Draw = (random: Random, leaseSeconds: number) => Draft;

const MOST_AT_ONCE = 3;
const LATEST_START_MS = 3000;
const SHORTEST_MS = 500;
const LONGEST_MS = 7000;
/** A pause lasts longer than a lease by at least this. */
const BEYOND_LEASE_MS = 1000;
/** From hardly noticed to beyond heartbeats. */
const DELAY_MS = [50, 1500] as const;

const LINKS = ["nats-pusher", "nats-a", "nats-b", "kubernetes-a", "kubernetes-b", "firewall-fw"];
const PUSHERS = ["pusher-1", "pusher-2"];
const WATCHERS = ["watcher-a-1", "watcher-a-2", "watcher-b-1", "watcher-b-2"];

const cut: Draw = (random) => {
  const part = random.one(LINKS);
  return {
    part,
    strike: (world) => world.link(part).cut(),
    heal: (world) => world.link(part).heal(),
  };
};

const delay: Draw = (random) => {
  const part = random.one(LINKS);
  const ms = random.whole(...DELAY_MS);
  const strike = (world: World): Promise<void> => world.link(part).delay(ms);
  return { part, strike, heal: (world) => world.link(part).heal() };
};

const reset: Draw = (random) => {
  const part = random.one(LINKS);
  const afterMs = random.whole(0, 200);
  const strike = (world: World): Promise<void> => world.link(part).reset(afterMs);
  return { part, strike, heal: (world) => world.link(part).heal() };
};

const blackHole: Draw = (random) => {
  const part = random.one(LINKS);
  const strike = (world: World): Promise<void> => world.link(part).blackHole();
  return { part, strike, heal: (world) => world.link(part).heal() };
};

const kill =
  (services: readonly string[]): Draw =>
  (random) => {
    const part = random.one(services);
    return {
      part,
      strike: (world) => world.service(part).kill(),
      heal: (world) => world.service(part).start(),
    };
  };

/** Whoever does the work then; a second one at the same time is whoever took over. */
const pause =
  (roles: readonly Role[], leaseOf: (ofPushers: number) => number): Draw =>
  (random, leaseSeconds) => {
    const role = random.one(roles);
    let struck: string | undefined;
    return {
      part: `${random.one(["a first", "a second"])} ${role}`,
      leastMs: leaseOf(leaseSeconds) * 1000 + BEYOND_LEASE_MS,
      strike: (world) => (struck = world.pauseLeader(role)),
      heal: (world) => struck !== undefined && world.resume(struck),
    };
  };

const killNats: Draw = () => ({
  part: "nats",
  strike: ({ scene }) => scene.stack.nats.kill(),
  heal: ({ scene }) => scene.stack.nats.start(),
});

const wipeNats: Draw = () => ({
  part: "nats",
  strike: ({ scene }) => scene.stack.nats.wipe(),
  heal: () => undefined,
});

const killApiServer: Draw = (random) => {
  const cluster = random.one(CLUSTERS);
  return {
    part: `api-server-${cluster}`,
    strike: ({ scene }) => scene.cluster(cluster).plane.killApiServer(),
    heal: ({ scene }) => scene.cluster(cluster).plane.restartApiServer(),
  };
};

function setLatency({ scene }: World, ms: number): void {
  const { device } = scene.stack.firewall().simulator;
  device.latency = { ...device.latency, write: ms };
}

const slowWrites: Draw = (random) => {
  const write = random.whole(100, 2000);
  return {
    part: "device",
    strike: (world) => setLatency(world, write),
    heal: (world) => setLatency(world, WRITE_MS),
  };
};

const loseReplies: Draw = (random) => {
  const kinds = ["reply-lost", "reset-before", "reset-after", "status-before", "status-after"] as const;
  const kind = random.one(kinds);
  const after = random.whole(0, 3);
  const times = random.whole(1, 3);
  return {
    part: "device",
    strike: ({ scene }) => {
      const { faults } = scene.stack.firewall().simulator.device;
      faults.add({ kind, methods: ["POST", "PUT", "DELETE"], after, times, status: 503 });
    },
    heal: ({ scene }) => scene.stack.firewall().simulator.device.faults.clear(),
  };
};

const failover: Draw = () => ({
  part: "device",
  strike: ({ scene }) => scene.stack.firewall().simulator.failover(),
  heal: () => undefined,
});

const DRAWS: Readonly<Record<string, Draw>> = {
  cut,
  delay,
  reset,
  "black-hole": blackHole,
  "kill-pusher": kill(PUSHERS),
  "kill-watcher": kill(WATCHERS),
  "pause-pusher": pause(["pusher"], (ofPushers) => ofPushers),
  "pause-watcher": pause(WATCHING, () => DEFAULT_LEASE_SECONDS),
  "kill-nats": killNats,
  "wipe-nats": wipeNats,
  "kill-api-server": killApiServer,
  "slow-device": slowWrites,
  "device-faults": loseReplies,
  "ha-failover": failover,
};
export const CLASSES: readonly string[] = Object.keys(DRAWS);
/** The network comes more often than what befalls one server. */
const FREQUENT: ReadonlySet<string> = new Set(["cut", "delay", "reset", "black-hole"]);
/** Where a class has few parts, they are all struck, or the dice never come upon the last. */
const MOST_DRAWS = 30;

/**
 * What goes wrong in a round, in the order in which it begins; at least one thing.
 *
 * @param faults the classes that may come up
 * @param leaseSeconds of the pushers
 */
export function disturbances(
  random: Random,
  faults: readonly string[] = CLASSES,
  leaseSeconds = DEFAULT_LEASE_SECONDS,
): Disturbance[] {
  const draws = Object.entries(DRAWS).filter(([kind]) => faults.includes(kind));
  const bag = draws.flatMap((entry) => (FREQUENT.has(entry[0]) ? [entry, entry] : [entry]));
  const chosen = new Map<string, Disturbance>();
  const count = random.whole(1, MOST_AT_ONCE);
  for (let drawn = 0; chosen.size < count && drawn < MOST_DRAWS; drawn += 1) {
    const [kind, draw] = random.one(bag);
    const { leastMs = SHORTEST_MS, ...draft } = draw(random, leaseSeconds);
    const at = random.whole(0, LATEST_START_MS);
    const ms = random.whole(leastMs, Math.max(leastMs, LONGEST_MS));
    if (!chosen.has(draft.part)) chosen.set(draft.part, { ...draft, kind, at, ms });
  }
  return [...chosen.values()].toSorted((one, other) => one.at - other.at);
}

export const told = ({ kind, part, at, ms }: Disturbance): string =>
  `${kind} of ${part} at ${at} ms for ${ms} ms`;
