import { parseOptions, USAGE } from "./options.ts";
import { startSimulator } from "./simulator.ts";

const parsed = parseOptions(process.argv.slice(2));
if (parsed.kind === "help") {
  process.stdout.write(USAGE);
} else if (parsed.kind === "faults") {
  process.stderr.write(`${parsed.faults.join("\n")}\n`);
  process.exitCode = 2;
} else {
  await run(parsed.options);
}

async function run(options: Parameters<typeof startSimulator>[0]): Promise<void> {
  try {
    const simulator = await startSimulator(options);
    const { url, controlUrl, token, caFile, device } = simulator;
    const facts = {
      url,
      controlUrl,
      token,
      caFile,
      profile: device.profile.version,
      serial: device.serial,
      pid: process.pid,
    };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
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
