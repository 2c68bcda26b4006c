import type { Random } from "./random.ts";
import { CLUSTERS, type World } from "./world.ts";

/** Something that goes wrong, and how it ends. All of it is decided before the round begins. */
export interface Disturbance {
  /** Its class, for the count: `cut`, `kill` … */
  readonly kind: string;
  /** The part it strikes: two at a time strike two parts. */
  readonly part: string;
  /** Milliseconds after the round's beginning, and how long it lasts. */
  readonly at: number;
  readonly ms: number;
  readonly strike: (world: World) => unknown;
  readonly heal: (world: World) => unknown;
}

type Draft = Omit<Disturbance, "at" | "ms"> & { readonly leastMs?: number };
type Draw = (random: Random) => Draft;

const MOST_AT_ONCE = 3;
const LATEST_START_MS = 3000;
const SHORTEST_MS = 500;
const LONGEST_MS = 7000;
/** Beyond the leases of 3 s. */
const PAUSE_MS = 4000;
/** From hardly noticed to beyond heartbeats. */
const DELAY_MS = [50, 1500] as const;

const LINKS = ["nats-pusher", "nats-a", "nats-b", "kubernetes-a", "kubernetes-b", "firewall-fw"];
const SERVICES = ["pusher-1", "pusher-2", "watcher-a-1", "watcher-a-2", "watcher-b-1", "watcher-b-2"];

const cut: Draw = (random) => {
  const part = random.one(LINKS);
  return {
    kind: "cut",
    part,
    strike: (world) => world.link(part).cut(),
    heal: (world) => world.link(part).heal(),
  };
};

const delay: Draw = (random) => {
  const part = random.one(LINKS);
  const ms = random.whole(...DELAY_MS);
  const strike = (world: World): Promise<void> => world.link(part).delay(ms);
  return { kind: "delay", part, strike, heal: (world) => world.link(part).heal() };
};

const reset: Draw = (random) => {
  const part = random.one(LINKS);
  const afterMs = random.whole(0, 200);
  const strike = (world: World): Promise<void> => world.link(part).reset(afterMs);
  return { kind: "reset", part, strike, heal: (world) => world.link(part).heal() };
};

const blackHole: Draw = (random) => {
  const part = random.one(LINKS);
  const strike = (world: World): Promise<void> => world.link(part).blackHole();
  return { kind: "black hole", part, strike, heal: (world) => world.link(part).heal() };
};

const kill: Draw = (random) => {
  const part = random.one(SERVICES);
  return {
    kind: "kill",
    part,
    strike: (world) => world.service(part).kill(),
    heal: (world) => world.service(part).start(),
  };
};

const pause: Draw = (random) => {
  const part = random.one(SERVICES);
  return {
    kind: "pause",
    part,
    leastMs: PAUSE_MS,
    strike: (world) => world.service(part).pause(),
    heal: (world) => world.service(part).resume(),
  };
};

const killNats: Draw = () => ({
  kind: "kill nats",
  part: "nats",
  strike: ({ scene }) => scene.stack.nats.kill(),
  heal: ({ scene }) => scene.stack.nats.start(),
});

const wipeNats: Draw = () => ({
  kind: "wipe nats",
  part: "nats",
  strike: ({ scene }) => scene.stack.nats.wipe(),
  heal: () => undefined,
});

const killApiServer: Draw = (random) => {
  const cluster = random.one(CLUSTERS);
  return {
    kind: "kill api server",
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
    kind: "slow device",
    part: "device",
    strike: (world) => setLatency(world, write),
    heal: (world) => setLatency(world, 0),
  };
};

const loseReplies: Draw = (random) => {
  const kinds = ["reply-lost", "reset-before", "reset-after", "status-before", "status-after"] as const;
  const kind = random.one(kinds);
  const after = random.whole(0, 3);
  const times = random.whole(1, 3);
  return {
    kind: "device faults",
    part: "device",
    strike: ({ scene }) => {
      const { faults } = scene.stack.firewall().simulator.device;
      faults.add({ kind, methods: ["POST", "PUT", "DELETE"], after, times, status: 503 });
    },
    heal: ({ scene }) => scene.stack.firewall().simulator.device.faults.clear(),
  };
};

const failover: Draw = () => ({
  kind: "ha failover",
  part: "device",
  strike: ({ scene }) => scene.stack.firewall().simulator.failover(),
  heal: () => undefined,
});

/** The network and the services' own ends come more often than what befalls the servers. */
const DRAWS: readonly Draw[] = [
  ...[cut, delay, reset, blackHole, kill, pause].flatMap((draw) => [draw, draw]),
  killNats,
  wipeNats,
  killApiServer,
  slowWrites,
  loseReplies,
  failover,
];

/** What goes wrong in a round, in the order in which it begins. */
export function disturbances(random: Random): Disturbance[] {
  const chosen = new Map<string, Disturbance>();
  const count = random.whole(1, MOST_AT_ONCE);
  while (chosen.size < count) {
    const { leastMs = SHORTEST_MS, ...draft } = random.one(DRAWS)(random);
    const at = random.whole(0, LATEST_START_MS);
    const ms = random.whole(leastMs, LONGEST_MS);
    if (!chosen.has(draft.part)) chosen.set(draft.part, { ...draft, at, ms });
  }
  return [...chosen.values()].toSorted((one, other) => one.at - other.at);
}

export const told = ({ kind, part, at, ms }: Disturbance): string =>
  `${kind} of ${part} at ${at} ms for ${ms} ms`;
