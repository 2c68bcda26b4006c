import { optionsOr } from "../../../../scripts/options.ts";
import { parseOptions, USAGE, type Asked } from "./options.ts";
import type { LogEntry } from "./request-log.ts";
import { startSimulator } from "./simulator.ts";

await run(optionsOr(USAGE, parseOptions(process.argv.slice(2))));

/** `12 PUT root cmdb/firewall/addrgrp/web 200 changed` */
function lineOf({ id, method, vdom, path, status, error, changed, outcome, faults }: LogEntry): string {
  const notes = [
    error === 0 ? "" : String(error),
    changed ? "changed" : "",
    outcome === "reply" ? "" : outcome,
    ...faults,
  ];
  return [String(id), method, vdom, path, String(status), ...notes.filter((note) => note !== "")].join(" ");
}

async function run({ simulator: options, verbose, hushed }: Asked): Promise<void> {
  try {
    const simulator = await startSimulator(options);
    const { url, controlUrl, token, caFile, device } = simulator;
    const facts = {
      url,
      controlUrl,
      ...(!hushed && { token }),
      caFile,
      profile: device.profile.version,
      serial: device.serial,
      pid: process.pid,
    };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    if (verbose) device.subscribe((entry) => process.stderr.write(`${lineOf(entry)}\n`));
    const stop = (): void => {
      void simulator.close();
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  } catch (error) {
    process.stderr.write(`the simulator could not start: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
