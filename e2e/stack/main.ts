// The development stack as processes: `npm run stack`. Stays up until Ctrl-C.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { profileOf } from "@podgate/fortios-simulator/profile";
import { LABEL } from "@podgate/shared/contract/names";
import { optionsOr, parseCommand } from "../../scripts/options.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { findTool, obtainTool, PartMissing } from "../tools/tool.ts";
import { startStack } from "./stack.ts";

const HELP = `npm run stack -- [options]

Starts NATS, Kubernetes control planes, a simulated FortiGate and the services of this checkout as processes, prints
what to connect to, and stays up until Ctrl-C, which leaves nothing behind.

  --cluster NAME    a cluster (repeatable; default a and b)
  --release X.Y     FortiOS release of the firewall (default 7.4)
  --latency MS      of each write to the firewall (default 50)
  --help`;

const { clusters, profile, latency } = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    {
      cluster: { type: "string", multiple: true, default: ["a", "b"] },
      release: { type: "string", default: "7.4" },
      latency: { type: "string" },
    },
    (given) => {
      const { cluster, release } = given.values;
      for (const [at, name] of cluster.entries()) {
        if (!LABEL.test(name))
          given.faults.push(`--cluster ${name}: give a-z, 0-9 and -, at most 63 characters`);
        if (cluster.indexOf(name) < at) given.faults.push(`--cluster ${name}: it is there already`);
      }
      try {
        profileOf(release);
      } catch (error) {
        given.faults.push(`--release: ${(error as Error).message}`);
      }
      return { clusters: cluster, profile: release, latency: given.whole("latency", 50, 0, 600_000) };
    },
  ),
);
process.exitCode = await main();

async function main(): Promise<number> {
  const signal = stopSignal();
  try {
    for (const name of STACK_PARTS) {
      const { path, from } = await obtainTool(name, say);
      say(`${name.padEnd(24)} ${from.padEnd(10)} ${path}`);
    }
    const built = spawnSync(process.execPath, ["scripts/build.ts"], { stdio: "inherit" });
    if (built.status !== 0) return 1;
    const stack = await startStack({
      clusters: Object.fromEntries(clusters.map((name, at) => [name, addressing(at)])),
      firewalls: { fw: { profile, latency: { write: latency } } },
      say,
    });
    if (!signal.aborted) {
      say("");
      for (const { name, plane } of stack.clusters.values())
        say(`cluster ${name}:  export KUBECONFIG=${plane.kubeconfig}`);
      const { url, tokenFile, caFile, simulator } = stack.firewall();
      say(`kubectl:    ${findTool("kubectl")?.path ?? ""}`);
      say(`firewall:   curl --cacert ${caFile ?? ""} -H "Authorization: Bearer $(cat ${tokenFile})" \\`);
      say(`              ${url}/api/v2/cmdb/firewall/addrgrp`);
      say(`            groups as they are now, request log, faults: ${simulator.controlUrl}`);
      const { user, passwordFile } = stack.nats.user("admin");
      say(`NATS:       ${stack.nats.url}, user ${user}, password in ${passwordFile}`);
      say(`pusher:     ${stack.pusher.opsUrl}/metrics, configuration ${stack.pusher.configFile}`);
      say("Ctrl-C ends it.");
      await once(signal, "abort");
    }
    say("stopping");
    await stack.close();
    return 0;
  } catch (error) {
    console.error(error instanceof PartMissing ? `needs ${error.message}` : error);
    return 1;
  }
}

function say(line: string): void {
  console.log(line);
}

/** Each cluster has addresses of its own, as in a network where the firewall can tell them apart. */
function addressing(at: number) {
  return { podCidr: `10.${42 + at}.0.0/16`, nodeNetwork: `192.168.${at + 1}` };
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      // The second one is from somebody who does not want to wait.
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
    });
  }
  return stopping.signal;
}
