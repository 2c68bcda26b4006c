// What docker-compose.yml promises, with an engine or without: started with a directory, in namespaces of its own
// (e2e/packaging/compose-processes.test.ts), it runs the services as processes, else as containers.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { buildTestImages, TEST_TAG } from "../../packaging/test-images.ts";
import { temporaryDirectory } from "../../stack/leftovers.ts";
import { until } from "../../stack/until.ts";
import { toolIfAtHand } from "../../tools/tool.ts";
import { composeCommand } from "../command.ts";
import { newEngineProject } from "../engine-project.ts";
import { makeImageFolders } from "../image-folders.ts";
import { ProcessProject } from "../process-project.ts";
import type { Project } from "../project.ts";

const [directory] = process.argv.slice(2);
const way = directory === undefined ? "in containers" : "as processes, without an engine";

t.setTimeout(280_000);

t.test(
  `docker-compose.yml ${way}: a Deployment scales and the group follows; down and up writes nothing`,
  async (t) => {
    t.comment(`way: docker-compose.yml ${way}`);
    const project = await newProject(t);
    t.teardown(() => project.remove().catch(() => undefined));

    await timed(t, "up from nothing", () => project.up());
    await followed(project, 1);
    const [scale = [], ...looks] = documented();
    t.match(
      scale.join(" "),
      "exec kube-apiserver kubectl --namespace shop scale deployment/web --replicas=3",
    );
    await doneAsDocumented(project, scale);
    await timed(t, "3 pods in the group", () => followed(project, 3));
    for (const look of looks) t.ok(await doneAsDocumented(project, look), look.join(" "));
    t.match(await fromOutside(project), /^node-1\nnode-2$/, "the API server is reached from the host");
    await kubectl(project, "--namespace=shop", "scale", "deployment/web", "--replicas=1");
    const kept = await followed(project, 1);
    t.same(await project.fallen(), [], "nothing ended by itself");

    await timed(t, "down", () => project.down());
    await timed(t, "up again", () => project.up());
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
    await kubectl(project, "--namespace=shop", "scale", "deployment/web", "--replicas=2");
    await followed(project, 2);
    t.same(await project.fallen(), [], "nothing ended by itself");

    const logs = await project.logs();
    t.match(logs, "the cluster is verified");
    const passwords = await secretsOf(project);
    t.ok(passwords.length >= 4);
    t.notOk(
      passwords.some((secret) => logs.includes(secret)),
      "no password or token in any log",
    );

    await project.remove();
    t.same(project.leftovers(), []);
  },
);

async function newProject(t: Test): Promise<Project> {
  if (directory !== undefined) return new ProcessProject(directory, await makeImageFolders(directory));
  for (const line of buildTestImages("watcher", "pusher", "stack").trim().split("\n")) t.comment(line);
  const name = `podgate-test-${randomBytes(4).toString("hex")}`;
  return newEngineProject({ command: composeCommand() ?? [], name, tag: TEST_TAG });
}

/** What docs/development.md says to do with the stack, in order. */
function documented(): string[][] {
  const lines = readFileSync("docs/development.md", "utf8").matchAll(/^docker compose ((?:exec|logs) .*)$/gm);
  return [...lines].map(([, line = ""]) => line.split(" "));
}

function doneAsDocumented(project: Project, [verb, ...words]: readonly string[]): Promise<string> {
  const [service = "", ...command] = words;
  return verb === "exec" ? project.exec(service, ...command) : project.logs(...words);
}

const kubectl = (project: Project, ...args: readonly string[]): Promise<string> =>
  project.exec("kube-apiserver", "kubectl", ...args);

/** Names of the nodes, asked with the kubeconfig for the host. */
async function fromOutside(project: Project): Promise<string> {
  const [folder, remove] = temporaryDirectory("compose");
  try {
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, await project.read("kube-apiserver", "/volumes/kubernetes/host.kubeconfig"));
    const args = ["--kubeconfig", kubeconfig, "get", "nodes", "--output=name"];
    // Not so that this process waits: what is published may be published by it.
    const { stdout } = await promisify(execFile)(toolIfAtHand("kubectl") ?? "kubectl", args);
    return stdout.replaceAll("node/", "").trim();
  } finally {
    remove();
  }
}

/** Waits until the group holds the addresses of so many pods. @returns them */
async function followed(project: Project, count: number): Promise<string[]> {
  let seen = "";
  const what = (): string => `${count} addresses in the group; ${seen}`;
  return until(what, async () => {
    const pods = JSON.parse(
      await kubectl(project, "--namespace=shop", "get", "pods", "--output=json", "--selector=app=web"),
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

/** What the setup made up: passwords, the token. */
async function secretsOf(project: Project): Promise<string[]> {
  const { nats, firewallToken } = JSON.parse(await project.read("keys", "/volumes/keys/keys.json")) as {
    nats: Record<string, string>;
    firewallToken: string;
  };
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
