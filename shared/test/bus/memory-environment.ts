import { MemoryBusServer } from "../../src/bus/memory.ts";
import { systemClock, type Clock } from "../../src/runtime/clock.ts";
import { type Environment } from "./environment.ts";

const FACTOR = 20;

/** The suite's lifetimes are seconds, which a real server needs; here they pass twenty times as fast. */
const fast: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now() * FACTOR),
  monotonic: () => performance.now() * FACTOR,
  sleep: (ms, signal) => systemClock.sleep(ms / FACTOR, signal),
  timer: (ms, run) => systemClock.timer(ms / FACTOR, run),
};

export async function memoryEnvironment(): Promise<Environment> {
  const server = new MemoryBusServer({ clock: fast });
  let users = 0;
  return {
    clock: fast,
    replicas: 1,
    link: async () => {
      users += 1;
      const user = `user-${users}`;
      return {
        bus: server.connect(user),
        mute: () => server.mute(user),
        hold: () => server.hold(user),
        release: () => server.release(user),
        cut: () => server.cut(user),
      };
    },
    stranger: async () => {
      server.refuse("stranger");
      return server.connect("stranger");
    },
    kill: async () => server.stop(),
    start: async () => server.start(),
    createByHand: async (config) => {
      server.create(config);
    },
    deleteStream: async (stream) => server.deleteStream(stream),
    copy: async (stream) => {
      const copy = server.snapshot(stream);
      return async () => server.restore(stream, copy);
    },
    close: async () => undefined,
  };
}
