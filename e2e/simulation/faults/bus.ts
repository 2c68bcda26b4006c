import type { StreamSnapshot } from "@podgate/shared/bus/memory";
import type { World } from "../world.ts";
import type { FaultClass } from "./fault.ts";

/** A watcher's session begins again after at most 5 s, a pusher reads anew after at most 5 s, and is told within 2 s. */
const RECOVERY_MS = 20_000;

const streamOf = (cluster: string): string => `PODGATE_${cluster}`;

/** Taken when the fault begins, put back when it ends: what came between is lost. */
function restored(world: World, streams: readonly string[], struck: () => void): () => void {
  const copies = new Map<string, StreamSnapshot>(
    streams.map((stream) => [stream, world.bus.snapshot(stream)]),
  );
  return () => {
    for (const [stream, copy] of copies) {
      const now = world.bus.info(stream);
      if (now !== undefined && now.lastSequence !== copy.lastSequence) struck();
      if (now === undefined) continue;
      world.bus.restore(stream, copy);
      world.rewound(stream);
    }
  };
}

export const BUS_FAULTS: readonly FaultClass[] = [
  {
    name: "bus-cut",
    lasts: [0, 0],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const replica = dice.pick(world.replicas);
      if (replica.process === undefined) return undefined;
      struck();
      world.bus.disconnectClients();
      return () => undefined;
    },
  },
  {
    name: "bus-reply-lost",
    lasts: [3000, 10_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      let left = dice.int(1, 4);
      return world.tamper.add({
        busReply: (call) => {
          if (left === 0 || call !== "publish" || !dice.chance(0.5)) return false;
          left -= 1;
          struck();
          return true;
        },
      });
    },
  },
  {
    name: "bus-killed",
    lasts: [500, 30_000],
    tailMs: RECOVERY_MS,
    begin: (world, _dice, struck) => {
      if (!world.bus.online) return undefined;
      world.bus.stop();
      struck();
      return () => world.bus.start();
    },
  },
  {
    name: "bus-slow",
    lasts: [5000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const usual = world.delays.bus;
      const [from, to] = dice.pick([
        [20, 400],
        [500, 3500],
      ] as const);
      world.delays.bus = () => {
        struck();
        return dice.between(from, to);
      };
      return () => {
        world.delays.bus = usual;
      };
    },
  },
  {
    name: "bus-restored",
    lasts: [2000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const stream = streamOf(dice.pick(world.clusters).name);
      return world.bus.info(stream) === undefined ? undefined : restored(world, [stream], struck);
    },
  },
  {
    name: "bus-wiped",
    lasts: [0, 0],
    // The pusher makes missing streams every 5 s.
    tailMs: RECOVERY_MS + 10_000,
    begin: (world, dice, struck) => {
      const all = [
        ...world.clusters.map(({ name }) => streamOf(name)),
        "KV_podgate-status",
        "KV_podgate-pusher",
      ];
      const streams = dice.chance(0.5) ? all : [dice.pick(all)];
      for (const stream of streams) {
        if (world.bus.info(stream) === undefined) continue;
        struck();
        world.bus.deleteStream(stream);
        world.rewound(stream);
      }
      return () => undefined;
    },
  },
  {
    name: "bus-full",
    lasts: [2000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, _dice, struck) => {
      world.bus.fill(struck);
      return () => world.bus.makeRoom();
    },
  },
  {
    name: "bus-forbids",
    lasts: [2000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const user = dice.pick([...world.clusters.map(({ name }) => name), "pusher"]);
      world.bus.refuse(user);
      struck();
      return () => world.bus.allow(user);
    },
  },
];
