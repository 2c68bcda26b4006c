import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { composeCommand } from "../compose/command.ts";
import { newProject, type Project } from "../compose/project.ts";
import { skipWithoutDocker } from "../stack/docker.ts";
import { until } from "../stack/until.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout, toolIfAtHand } from "../tools/tool.ts";
import { buildTestImages, TEST_TAG } from "./test-images.ts";

const command = composeCommand();
const skip =
  (await skipWithoutDocker()) ||
  skipWithout(...STACK_PARTS) ||
  (command === undefined && skipWithout("docker-compose"));

t.setTimeout(280_000);

t.test(
  "docker compose up: a Deployment scales and the group follows; down and up writes nothing",
  { skip },
  async (t) => {
    for (const line of buildTestImages("watcher", "pusher", "stack").trim().split("\n")) t.comment(line);
    const name = `podgate-test-${randomBytes(4).toString("hex")}`;
    const project = await newProject({ command: command ?? [], name, tag: TEST_TAG });
    t.teardown(() => project.remove().catch(() => undefined));

    await timed(t, "up from nothing", () => project.run("up", "--wait"));
    await followed(project, 1);
    const [scale = [], ...looks] = documented();
    t.match(scale.join(" "), "scale deployment/web --replicas=3");
    await project.run(...scale);
    await timed(t, "3 pods in the group", () => followed(project, 3));
    for (const look of looks) t.ok(await project.run(...look), look.join(" "));
    t.match(await fromOutside(project), /^node-1\nnode-2$/, "the API server is reached from the host");
    await project.kubectl("--namespace=shop", "scale", "deployment/web", "--replicas=1");
    const kept = await followed(project, 1);

    await timed(t, "down", () => project.run("down"));
    await timed(t, "up again", () => project.run("up", "--wait"));
    await until(
      () => "the pusher to know that all is as it should be",
      async () => {
        const metrics = await text(`http://${project.address(5)}/metrics`);
        const value = (metric: string): number =>
          Number(new RegExp(`^${metric}{.*} (.*)$`, "m").exec(metrics)?.[1]);
        const isSettled =
          value("podgate_pusher_cluster_verified") === 1 &&
          value("podgate_pusher_members_applied") === 1 &&
          value("podgate_pusher_groups_out_of_sync") === 0;
        return isSettled || undefined;
      },
    );
    t.same(await followed(project, 1), kept, "the same pod with the same address");
    t.same(JSON.parse(await text(`http://${project.address(0)}/log?writes=1`)), [], "nothing was written");
    await project.kubectl("--namespace=shop", "scale", "deployment/web", "--replicas=2");
    await followed(project, 2);

    const logs = await project.run("logs", "--no-color");
    const passwords = await secretsOf(project);
    t.ok(passwords.length >= 4);
    t.notOk(
      passwords.some((secret) => logs.includes(secret)),
      "no password or token in any log",
    );

    await project.remove();
    for (const kind of ["container", "network", "volume"]) {
      const args = [kind, "ls", "--quiet", "--filter", `label=com.docker.compose.project=${name}`];
      t.equal(spawnSync("docker", args, { encoding: "utf8" }).stdout, "", `no ${kind} is left`);
    }
  },
);

t.test(
  "what the compose file starts has no rights and is published on loopback only",
  { skip },
  async (t) => {
    const project = await newProject({ command: command ?? [], name: "podgate-test-config", tag: TEST_TAG });
    const { services } = JSON.parse(
      await project.run("--profile", "monitoring", "config", "--format", "json"),
    ) as { services: Record<string, Definition> };
    t.ok(Object.keys(services).length >= 13);
    for (const [name, { read_only, cap_drop, privileged, security_opt, ports = [] }] of Object.entries(
      services,
    )) {
      t.match({ read_only, cap_drop, security_opt }, HARDENED, name);
      t.equal(privileged, undefined, name);
      for (const port of ports) {
        t.equal(port.host_ip, "127.0.0.1", name);
        t.match(port.published, /^\d{4}[0-7]$/, name);
      }
    }
  },
);

/** What docs/development.md says to do with the stack, in order. */
function documented(): string[][] {
  const lines = readFileSync("docs/development.md", "utf8").matchAll(/^docker compose ((?:exec|logs) .*)$/gm);
  return [...lines].map(([, line = ""]) => line.replace(/^exec/, "exec -T").split(" "));
}

/** Names of the nodes, asked with the kubeconfig for the host. */
async function fromOutside(project: Project): Promise<string> {
  const [folder, remove] = temporaryDirectory("compose");
  try {
    const kubeconfig = join(folder, "kubeconfig");
    await project.run("cp", "kube-apiserver:/volumes/kubernetes/host.kubeconfig", kubeconfig);
    const args = ["--kubeconfig", kubeconfig, "get", "nodes", "--output=name"];
    const { stdout } = spawnSync(toolIfAtHand("kubectl") ?? "kubectl", args, { encoding: "utf8" });
    return stdout.replaceAll("node/", "").trim();
  } finally {
    remove();
  }
}

const HARDENED = { read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] };

interface Definition {
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly ports?: readonly { readonly host_ip?: string; readonly published: string }[];
}

/** Waits until the group holds the addresses of so many pods. @returns them */
async function followed(project: Project, count: number): Promise<string[]> {
  let seen = "";
  const what = (): string => `${count} addresses in the group; ${seen}`;
  return until(what, async () => {
    const pods = JSON.parse(
      await project.kubectl("--namespace=shop", "get", "pods", "--output=json", "--selector=app=web"),
    ) as { items: { metadata: { deletionTimestamp?: string }; status: { podIP?: string } }[] };
    const wanted = pods.items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .flatMap(({ status }) => status.podIP ?? [])
      .toSorted();
    const groups = JSON.parse(await text(`http://${project.address(0)}/groups?vdom=root`)) as Group[];
    const held = groups.find(({ name }) => name === "web")?.addresses ?? [];
    seen = `pods ${wanted.join(" ")} (${pods.items.length} in all), group ${held.join(" ")}`;
    return wanted.length === count && wanted.join() === held.toSorted().join() ? wanted : undefined;
  });
}

interface Group {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What the setup made up: passwords, the token, keys. */
async function secretsOf(project: Project): Promise<string[]> {
  const keys = await project.run(
    "run",
    "--rm",
    "--no-deps",
    "-T",
    "keys",
    "node",
    "-p",
    "fs.readFileSync('/volumes/keys/keys.json', 'utf8')",
  );
  const { nats, firewallToken } = JSON.parse(keys) as { nats: Record<string, string>; firewallToken: string };
  return [...Object.values(nats), firewallToken];
}

async function text(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

async function timed<T>(
  t: { comment: (line: string) => void },
  what: string,
  run: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const result = await run();
  t.comment(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}
