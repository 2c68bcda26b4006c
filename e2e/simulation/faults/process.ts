import type { Dice } from "../dice.ts";
import type { Replica } from "../replica.ts";
import type { World } from "../world.ts";
import type { FaultClass } from "./fault.ts";

/** Of a watcher: its Lease (10 s) runs out, another claims (under 5 s), lists, and the pusher believes it 2 s later. */
const TAKEOVER_MS = 30_000;

const again = (world: World, dice: Dice, replica: Replica): (() => void) => {
  const ms = dice.between(200, 8000);
  return () => void world.timeline.after(ms, () => replica.start());
};

/** @param end how it is brought down, and when it is down */
function downed(
  name: string,
  replicas: (world: World) => readonly Replica[],
  bring: (replica: Replica) => void,
): FaultClass {
  return {
    name,
    lasts: [0, 0],
    tailMs: TAKEOVER_MS + 8000,
    begin: (world, dice, struck) => {
      const replica = dice.pick(replicas(world));
      if (replica.process === undefined) return undefined;
      bring(replica);
      struck();
      return again(world, dice, replica);
    },
  };
}

const watchers = (world: World): readonly Replica[] => world.watchers;
const pushers = (world: World): readonly Replica[] => world.pushers;

export const PROCESS_FAULTS: readonly FaultClass[] = [
  downed("watcher-killed", watchers, (replica) => replica.kill()),
  downed("pusher-killed", pushers, (replica) => replica.kill()),
  {
    name: "process-crashes",
    lasts: [500, 6000],
    tailMs: TAKEOVER_MS + 8000,
    begin: (world, dice, struck) => {
      const replica = dice.pick(world.replicas);
      let left = dice.int(1, 25);
      const fate = dice.pick(["die-before", "die-after"] as const);
      replica.probe = (call) => {
        left -= 1;
        if (left !== 0) return "pass";
        struck();
        world.history.note(replica.name, `crashes ${fate === "die-before" ? "before" : "after"} ${call}`);
        return fate;
      };
      const start = again(world, dice, replica);
      return () => {
        replica.probe = () => "pass";
        start();
      };
    },
  },
  {
    name: "process-stopped",
    lasts: [6000, 12_000],
    tailMs: TAKEOVER_MS,
    begin: (world, dice, struck) => {
      const replica = dice.pick(world.replicas);
      if (replica.process === undefined) return undefined;
      replica.stop();
      struck();
      return () => {
        replica.kill();
        replica.start();
      };
    },
  },
  {
    name: "process-paused",
    lasts: [1000, 45_000],
    tailMs: TAKEOVER_MS,
    begin: (world, dice, struck) => {
      const replica = dice.pick(world.replicas);
      if (replica.process?.state !== "running") return undefined;
      replica.pause();
      struck();
      return () => replica.resume();
    },
  },
  {
    name: "clock-jumps",
    lasts: [5000, 60_000],
    tailMs: 5000,
    begin: (world, dice, struck) => {
      const replica = dice.pick(world.replicas);
      replica.skew(dice.pick([-1, 1]) * dice.between(2000, 4_000_000));
      struck();
      return () => replica.skew(0);
    },
  },
];
