import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { startControlPlane, type ControlPlane } from "../stack/control-plane.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { bundleOf } from "../stack/service.ts";
import { until } from "../stack/until.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout, tool } from "../tools/tool.ts";
import { CHARTS, chartFolder } from "./helm.ts";
import { ADDRESS_GROUP } from "./manifests.ts";

const skip = skipWithout(...STACK_PARTS, "helm");
t.setTimeout(200_000);

/** Pages in the order in which somebody follows them. */
const PAGES = ["docs/install.md", "docs/upgrade.md", "docs/uninstall.md"];
const COMMANDS = /^```sh\n([^]*?)^```/gm;

t.test(
  "every command of the pages on installing, upgrading and uninstalling works as it is written",
  { skip },
  async (t) => {
    const planes: ControlPlane[] = [];
    t.teardown(() => Promise.all(planes.map((plane) => plane.close())));
    for (const name of ["center", "cluster"]) planes.push(await startControlPlane({ name, nodes: 1 }));
    const [center, cluster] = planes as [ControlPlane, ControlPlane];
    const [directory, remove] = temporaryDirectory("documented");
    t.teardown(remove);
    const env = await desk(directory);
    let count = 0;
    for (const page of PAGES) {
      for (const [, commands = ""] of readFileSync(page, "utf8").matchAll(COMMANDS)) {
        const isCentral = /podgate-pusher/.test(commands);
        const { kubeconfig } = isCentral ? center : cluster;
        const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", commands], {
          cwd: directory,
          env: { ...env, KUBECONFIG: kubeconfig },
          encoding: "utf8",
        });
        t.equal(status, 0, `${page}: ${commands.trim()}`);
        if (status !== 0) t.comment(stdout + stderr);
        count += 1;
      }
      if (page === "docs/uninstall.md") continue;
      await runs(center, "podgate-pusher");
      await runs(cluster, "podgate-watcher");
      t.equal((await cluster.client.list(ADDRESS_GROUP)).length, 1, `${page}: the group is defined`);
    }
    t.ok(count >= 8, `${count} blocks`);
    await t.rejects(cluster.client.list(ADDRESS_GROUP), "the definitions are gone");
    for (const plane of planes) t.strictSame(await deployments(plane), []);
  },
);

/** What the pages take for granted: programs, files of the FortiGate, and the files that they show. */
async function desk(directory: string): Promise<NodeJS.ProcessEnv> {
  const programs = join(directory, "bin");
  mkdirSync(programs);
  for (const name of ["kubectl", "helm"] as const) symlinkSync(await tool(name), join(programs, name));
  for (const name of ["watcher", "pusher"] as const) {
    const file = join(programs, `podgate-${name}`);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${bundleOf(name)}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  symlinkSync(dirname(chartFolder("podgate-pusher")), join(directory, "charts"));
  const install = readFileSync("docs/install.md", "utf8");
  const shown = (what: RegExp): string => what.exec(install)?.[1] ?? "";
  for (const chart of CHARTS)
    writeFileSync(
      join(directory, `${chart.replace("podgate-", "")}.yaml`),
      shown(new RegExp(`^\`\`\`yaml\\n(# values of ${chart}\\n[^]*?)^\`\`\``, "m")),
    );
  writeFileSync(join(directory, "group.yaml"), shown(/^As file `group.yaml`:\n\n```yaml\n([^]*?)^```/m));
  const example = readFileSync("docs/examples/podgate-pusher.yaml", "utf8");
  writeFileSync(join(directory, "podgate-pusher.yaml"), example);
  for (const name of ["fortigate-token", "fortigate-ca.pem"]) writeFileSync(join(directory, name), "x\n");
  return { PATH: `${programs}:${process.env["PATH"] ?? ""}`, HOME: directory };
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas: number };
  readonly status?: { readonly availableReplicas?: number };
}

const deployments = (plane: ControlPlane): Promise<Deployment[]> =>
  plane.client.list<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", namespace: "podgate" });

async function runs(plane: ControlPlane, name: string): Promise<void> {
  await until(`${name} to run`, async () => {
    const found = (await deployments(plane)).find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`there is no Deployment ${name}`);
    return found.status?.availableReplicas === found.spec.replicas || undefined;
  });
}
