import { systemClock } from "@podgate/shared/runtime/clock";
import { createLogger } from "@podgate/shared/runtime/logger";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { CheckPorts } from "./commands/check.ts";
import type { LookPorts } from "./commands/look.ts";
import type { Configuration } from "./configuration.ts";
import { pusherBus } from "./pusher-bus.ts";
import { Memory } from "./reconcile/memory.ts";
import { unobserved } from "./reconcile/observe.ts";
import { namesOf, targetFirewall, targetTransport } from "./target-firewall.ts";

/** The real world for a command that looks and ends; warnings go to standard error. */
export async function withPorts<T>(
  configuration: Configuration,
  run: (ports: LookPorts & CheckPorts) => Promise<T>,
): Promise<T> {
  const logger = createLogger({
    service: "podgate-pusher",
    version: "",
    level: "error",
    write: (line) => void process.stderr.write(line),
  });
  let trouble: string | undefined;
  const bus = pusherBus(configuration, (message) => void (trouble = message));
  const names = namesOf(configuration.install);
  const clock = systemClock;
  const random = systemRandom;
  try {
    return await run({
      bus,
      clock,
      random,
      logger,
      names,
      observe: unobserved,
      memory: new Memory({ bus, clock, random, logger }),
      busTrouble: () => trouble,
      makeTransport: targetTransport,
      makeFirewall: (target, onFailover, mayCall) =>
        targetFirewall(target, targetTransport(target), names, clock, onFailover, mayCall),
    });
  } finally {
    await bus.close();
  }
}
