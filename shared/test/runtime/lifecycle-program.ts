// A service as small as can be, run by lifecycle.test.ts as a process of its own: what it does is its argument.
import "../../src/runtime/early-signals.ts";
import { runProgram } from "../../src/runtime/command-line.ts";
import { UserError } from "../../src/runtime/errors.ts";
import { runUntilSignal } from "../../src/runtime/lifecycle.ts";
import { createLogger } from "../../src/runtime/logger.ts";

const logger = createLogger({ service: "podgate-test", version: "1.2.3", level: "debug" });
const secret = (): Error =>
  Object.assign(new Error("lost https://admin:hunter2@fw/"), { token: "hunter2", headers: ["hunter2"] });

const told = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const alive = setInterval(() => undefined, 1000);
    signal.addEventListener("abort", () => {
      clearInterval(alive);
      resolve();
    });
  });

const BEHAVIORS: Record<string, (signal: AbortSignal) => Promise<void>> = {
  async finishes(signal) {
    await told(signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    logger.info({}, "in flight: done");
  },
  async hangs(signal) {
    await told(signal);
    logger.info({}, "hanging");
    await new Promise(() => setInterval(() => undefined, 1000));
  },
  ends: async () => undefined,
  async fails() {
    throw secret();
  },
  async user() {
    throw new UserError("lease.seconds: 1: must be at least 3");
  },
  async throws(signal) {
    setImmediate(() => {
      throw secret();
    });
    await told(signal);
  },
  async rejects(signal) {
    void Promise.reject(secret());
    await told(signal);
  },
};

process.exitCode = await runProgram(
  {
    name: "podgate-test",
    version: "1.2.3",
    description: "test",
    fallback: "run",
    commands: {
      run: {
        description: "run",
        operand: { name: "BEHAVIOR" },
        run: (_options, name) =>
          runUntilSignal(logger, (signal) => {
            const running = BEHAVIORS[name]?.(signal) ?? Promise.resolve();
            logger.info({}, "running");
            return running;
          }),
      },
      start: {
        description: "not a service yet",
        async run() {
          logger.info({}, "starting");
          await told(new AbortController().signal);
          return 0;
        },
      },
      crash: {
        description: "fail outside of any service",
        async run() {
          setImmediate(() => {
            throw secret();
          });
          await told(new AbortController().signal);
        },
      },
    },
  },
  process.argv.slice(2),
);
