import { spawnSync } from "node:child_process";
import t from "tap";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { pusherMetrics } from "@podgate/pusher/metrics";
import { watcherMetrics } from "@podgate/watcher/metrics";

// Both services as people meet them first: on the command line, before anything is reachable.

function run(service: string, args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`services/${service}/src/main.ts`, ...args],
    {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], ...env },
    },
  );
  return { status, stdout, stderr };
}

for (const service of ["watcher", "pusher"]) {
  const name = `podgate-${service}`;
  const example = ["--config", `docs/examples/${name}.yaml`];

  t.test(`${name} tells its version and its help`, async (t) => {
    t.match(run(service, ["--version"]), { status: 0, stdout: `${name} 0.0.0\n`, stderr: "" });
    const { status, stdout } = run(service, ["--help"]);
    t.equal(status, 0);
    t.match(stdout, /--config VALUE/);
    t.match(stdout, /--check-config/);
  });

  t.test(`${name} --check-config prints the configuration with its defaults`, async (t) => {
    const { status, stdout, stderr } = run(service, [...example, "--check-config"], {
      PODGATE_LOG__LEVEL: "debug",
    });
    t.equal(stderr, "");
    t.equal(status, 0);
    t.match(stdout, "ops:\n  host: 0.0.0.0\n  port: 8080\n");
    t.match(stdout, "log:\n  level: debug\n");
  });

  t.test(`${name} tells everything that is wrong with its command line`, async (t) => {
    const { status, stdout, stderr } = run(service, ["--confg", "none.yaml", "--check-config=yes", "extra"]);
    t.equal(status, 2);
    t.equal(stdout, "");
    t.strictSame(stderr.split("\n"), [
      `${name}: the command line has 3 faults:`,
      "  --confg: no such option; did you mean --config?",
      "  --check-config=yes: it takes no value",
      `  extra: one word too many; ${name} run --help shows what is taken`,
      "",
    ]);
  });

  t.test(`${name} names all faults of its configuration at once, without stack or secret`, async (t) => {
    const { status, stdout, stderr } = run(service, [...example, "--check-config"], {
      PODGATE_OPS__PORT: "high",
      PODGATE_LOG__LEVL: "debug",
      PODGATE_NATS__PASSWORD: "hunter2",
      PODGATE_NATS__SERVERS: "['nats://u:hunter2@n:4222']",
    });
    t.equal(status, 2);
    t.equal(stdout, "");
    t.match(stderr, new RegExp(`^${name}: the configuration docs/examples/${name}\\.yaml has 4 faults:\n`));
    t.match(stderr, 'ops.port (from PODGATE_OPS__PORT): "high": must be a whole number from 0 to 65535');
    t.match(stderr, "did you mean PODGATE_LOG__LEVEL?");
    t.match(stderr, "name the file in PODGATE_NATS__PASSWORD_FILE");
    t.match(stderr, "nats.servers[0] (from PODGATE_NATS__SERVERS)");
    t.notMatch(stderr, /hunter2|\n\s+at /);
  });
}

t.test("every metric of both services has its series before anything happened", async (t) => {
  const watcher = new Metrics("watcher", "0");
  watcherMetrics(watcher);
  const pusher = new Metrics("pusher", "0");
  pusherMetrics(pusher, { clusters: ["c"], targets: ["t"], devices: ["d"] });
  for (const metrics of [watcher, pusher]) {
    const lines = (await metrics.render()).split("\n");
    for (const { name, type } of metrics.describe()) {
      const series = lines.filter((line) => line.startsWith(type === "histogram" ? `${name}_count` : name));
      t.ok(series.length > 0, name);
      if (name !== "podgate_build_info")
        t.ok(
          series.every((line) => line.endsWith(" 0")),
          name,
        );
    }
  }
});
