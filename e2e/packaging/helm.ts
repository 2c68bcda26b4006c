import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments, stringify } from "yaml";
import type { KubernetesObject } from "../stack/kubernetes-client.ts";
import { tool } from "../tools/tool.ts";

export const CHARTS = ["podgate-watcher", "podgate-pusher"] as const;
export type Chart = (typeof CHARTS)[number];

export const chartFolder = (chart: Chart): string =>
  fileURLToPath(new URL(`../../charts/${chart}`, import.meta.url));

export interface HelmResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real helm, with a home of its own that nothing of the user's is in. */
export class Helm {
  readonly directory: string;
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(program: string, directory: string, kubeconfig: string | undefined) {
    this.#program = program;
    this.directory = directory;
    const home = join(directory, "home");
    mkdirSync(home);
    this.#env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig ?? join(home, "none") };
  }

  /** @param kubeconfig the cluster for install, upgrade …; absent: only what needs none */
  static async open(kubeconfig?: string): Promise<Helm> {
    const directory = mkdtempSync(join(tmpdir(), "podgate-helm-"));
    return new Helm(await tool("helm"), directory, kubeconfig);
  }

  run(...args: readonly string[]): HelmResult {
    const { status, stdout, stderr, error } = spawnSync(this.#program, args, {
      encoding: "utf8",
      maxBuffer: 64 * 1024 ** 2,
      env: this.#env,
    });
    if (error) throw error;
    return { code: status, stdout, stderr };
  }

  /** As `run`, while this process goes on: for what waits for servers that are in it. */
  async while(...args: readonly string[]): Promise<HelmResult> {
    const child = spawn(this.#program, args, { env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit") as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  /** @throws with what helm said */
  ok(...args: readonly string[]): string {
    const { code, stdout, stderr } = this.run(...args);
    if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** A file with these values. */
  values(values: object): string {
    const file = join(mkdtempSync(join(this.directory, "values-")), "values.yaml");
    writeFileSync(file, stringify(values));
    return file;
  }

  /** What would be installed. */
  render(chart: Chart, valuesFile: string, ...args: readonly string[]): KubernetesObject[] {
    return objectsOf(this.ok("template", "release", chartFolder(chart), "--values", valuesFile, ...args));
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function objectsOf(manifests: string): KubernetesObject[] {
  return parseAllDocuments(manifests)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** The one object of a kind. */
export function theOne(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return found[0] as KubernetesObject;
}

/** The configuration that a rendered ConfigMap holds; another one may hold the dashboard. */
export function configurationIn(objects: readonly KubernetesObject[]): unknown {
  const files = objects.map(
    (object) => (object["data"] as Record<string, string> | undefined)?.["config.yaml"],
  );
  return parse(files.find((file) => file !== undefined) ?? "");
}

export const valuesFilesOf = (chart: Chart): readonly string[] =>
  ["smallest", "trial", "production", "everything"].map((name) =>
    join(chartFolder(chart), "ci", `${name}-values.yaml`),
  );

export const valuesIn = (file: string): Record<string, unknown> =>
  parse(readFileSync(file, "utf8")) as Record<string, unknown>;
