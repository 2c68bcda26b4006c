import { parse } from "yaml";
import { Sheet } from "./sheet.ts";

/** `docker-compose.yml` with its variables filled in and its short forms written out. */
export interface ComposeFile {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly networks: ReadonlyMap<string, { readonly internal: boolean }>;
  readonly volumes: readonly string[];
}

export interface ServiceDefinition {
  readonly image: string;
  /** Instead of the image's. */
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly dependsOn: ReadonlyMap<string, Condition>;
  readonly health: HealthCheck | undefined;
  readonly networks: readonly string[];
  readonly ports: readonly Port[];
  readonly mounts: readonly Mount[];
  /** Paths that are empty at each start. */
  readonly tmpfs: readonly string[];
  /** It is started again whenever it ends; false: it is to end by itself. */
  readonly isLasting: boolean;
  readonly graceMs: number;
  /** Started only when one of them is asked for; none = always. */
  readonly profiles: readonly string[];
  readonly rights: {
    readonly readOnly: boolean;
    readonly dropped: readonly string[];
    readonly options: readonly string[];
  };
}

const CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"] as const;
export type Condition = (typeof CONDITIONS)[number];

export interface HealthCheck {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many failures in a row, and it is not healthy. */
  readonly retries: number;
}

export interface Port {
  /** Of the machine. */
  readonly address: string;
  readonly published: number;
  /** Of the service. */
  readonly target: number;
}

export interface Mount {
  /** Name of a volume, or a path that begins with `./`. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Says who does what, and is of no use without an engine that pulls, restricts and logs. */
const OF_THE_ENGINE = ["pull_policy", "logging"];
const UNITS = { ms: 1, s: 1000, m: 60_000 };

/**
 * Reads what the file uses of Compose's language, and refuses the rest of it: what is not read here would go unheeded
 * without a word wherever the services are started by `ProcessProject`.
 *
 * @param variables as the environment has them
 * @throws Error with all faults, one a line
 */
export function readComposeFile(text: string, variables: NodeJS.ProcessEnv): ComposeFile {
  const faults: string[] = [];
  const filled = withVariables(parse(text, { merge: true }), variables, faults);
  const file = new Sheet("", filled, faults);
  const services = file.sheets("services").map(([name, sheet]) => [name, readService(sheet)] as const);
  const networks = file.sheets("networks").map(([name, sheet]) => {
    const internal = sheet.flag("internal");
    sheet.end();
    return [name, { internal }] as const;
  });
  const volumes = file.sheets("volumes").map(([name, sheet]) => {
    sheet.end();
    return name;
  });
  file.text("name");
  file.end(/^x-/);
  const read = { services: new Map(services), networks: new Map(networks), volumes };
  faults.push(...dangling(read));
  if (faults.length > 0) throw new Error(`docker-compose.yml cannot be followed:\n${faults.join("\n")}`);
  return read;
}

function readService(sheet: Sheet): ServiceDefinition {
  const networks = sheet.list("networks") ?? ["default"];
  const definition: ServiceDefinition = {
    image: sheet.text("image") ?? "",
    entrypoint: sheet.list("entrypoint"),
    command: sheet.list("command"),
    environment: sheet.texts("environment"),
    dependsOn: readDependencies(sheet),
    health: sheet.has("healthcheck") ? readHealthCheck(sheet.sheet("healthcheck")) : undefined,
    networks: sheet.oneOf("network_mode", ["none"]) === undefined ? networks : [],
    ports: sheet.matched("ports", /^([\d.]+):(\d+):(\d+)$/, (address, published, target) => ({
      address,
      published: Number(published),
      target: Number(target),
    })),
    mounts: sheet.matched("volumes", /^([^:]+):(\/[^:]+)(:ro)?$/, (source, target, mode) => ({
      source,
      target,
      readOnly: mode !== "",
    })),
    tmpfs: sheet.list("tmpfs") ?? [],
    isLasting: sheet.oneOf("restart", ["no", "unless-stopped"]) === "unless-stopped",
    graceMs: durationOf(sheet, "stop_grace_period", "10s"),
    profiles: sheet.list("profiles") ?? [],
    rights: {
      readOnly: sheet.flag("read_only"),
      dropped: sheet.list("cap_drop") ?? [],
      options: sheet.list("security_opt") ?? [],
    },
  };
  for (const key of OF_THE_ENGINE) sheet.skip(key);
  sheet.end();
  return definition;
}

function readDependencies(sheet: Sheet): ReadonlyMap<string, Condition> {
  if (sheet.isList("depends_on"))
    return new Map((sheet.list("depends_on") ?? []).map((name) => [name, "service_started"]));
  const all = sheet.sheets("depends_on").map(([name, each]) => {
    const condition = each.oneOf("condition", CONDITIONS) ?? "service_started";
    each.end();
    return [name, condition] as const;
  });
  return new Map(all);
}

function readHealthCheck(sheet: Sheet): HealthCheck {
  const [kind, ...command] = sheet.list("test") ?? [];
  if (kind !== "CMD") sheet.fault("test", `[CMD, …]: no image has a shell`);
  const health = {
    command,
    intervalMs: durationOf(sheet, "interval", "30s"),
    timeoutMs: durationOf(sheet, "timeout", "30s"),
    retries: sheet.number("retries") ?? 3,
  };
  sheet.end();
  return health;
}

function durationOf(sheet: Sheet, key: string, fallback: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(sheet.text(key) ?? fallback) ?? [];
  if (unit === undefined) sheet.fault(key, "a duration such as 500ms, 5s or 1m");
  return Number(amount) * UNITS[unit as keyof typeof UNITS];
}

/** `${NAME:-default}`, `${NAME}` and `$$`, in every text. */
function withVariables(value: unknown, variables: NodeJS.ProcessEnv, faults: string[]): unknown {
  if (typeof value === "string")
    return value.replaceAll(
      /\$(?:\$|\{(\w+)(?::-([^}]*))?\}|)/g,
      (found, name?: string, fallback?: string) => {
        if (found === "$$") return "$";
        const given = name === undefined ? undefined : variables[name] || fallback;
        if (given === undefined)
          faults.push(
            `${value}: ${name ?? "a $ of its own"} has no value; use \${${name ?? "NAME"}:-…} or $$`,
          );
        return given ?? "";
      },
    );
  if (Array.isArray(value)) return value.map((each) => withVariables(each, variables, faults));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withVariables(each, variables, faults)]);
  return Object.fromEntries(entries);
}

/** Names that nothing has, and services that wait for themselves. */
function dangling({ services, networks, volumes }: ComposeFile): string[] {
  const faults: string[] = [];
  for (const [name, { dependsOn, networks: joined, mounts, health, isLasting }] of services) {
    const at = `services.${name}`;
    for (const network of joined)
      if (!networks.has(network)) faults.push(`${at}.networks: there is no network ${network}`);
    for (const { source } of mounts)
      if (!source.startsWith("./") && !volumes.includes(source))
        faults.push(`${at}.volumes: there is no volume ${source}`);
    for (const [other, condition] of dependsOn) {
      const service = services.get(other);
      if (service === undefined) faults.push(`${at}.depends_on: there is no service ${other}`);
      else if (condition === "service_healthy" && service.health === undefined)
        faults.push(`${at}.depends_on.${other}: it has no healthcheck`);
      else if (condition === "service_completed_successfully" && service.isLasting)
        faults.push(`${at}.depends_on.${other}: it is started again whenever it ends`);
    }
    if (health !== undefined && !isLasting) faults.push(`${at}.healthcheck: it is to end by itself`);
    if (waitsFor(name, name, services)) faults.push(`${at}.depends_on: it waits for itself`);
  }
  return faults;
}

function waitsFor(
  name: string,
  wanted: string,
  services: ComposeFile["services"],
  seen = new Set<string>(),
): boolean {
  for (const other of services.get(name)?.dependsOn.keys() ?? []) {
    if (other === wanted) return true;
    if (seen.has(other)) continue;
    seen.add(other);
    if (waitsFor(other, wanted, services, seen)) return true;
  }
  return false;
}
