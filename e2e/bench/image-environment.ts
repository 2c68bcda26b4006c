import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

type ServiceName = "watcher" | "pusher";

/**
 * What the image of a service sets in its environment, as its Dockerfile says: the bench runs the services the same
 * way. Values with a build argument in them are left out.
 */
export function imageEnvironment(service: ServiceName): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const line of instructions(service, "ENV")) {
    for (const [, name = "", value = ""] of line.matchAll(/(?<= )(\w+)=(\S+)/g))
      if (!value.includes("$")) environment[name] = value.replaceAll('"', "");
  }
  return environment;
}

/** What its ENTRYPOINT gives to Node before the program. */
export function imageNodeOptions(service: ServiceName): string[] {
  const [entrypoint = ""] = instructions(service, "ENTRYPOINT");
  const [, ...words] = JSON.parse(entrypoint.slice("ENTRYPOINT".length)) as string[];
  return words.filter((word) => word.startsWith("--"));
}

function instructions(service: ServiceName, name: string): string[] {
  const file = fileURLToPath(new URL(`../../services/${service}/Dockerfile`, import.meta.url));
  const lines = readFileSync(file, "utf8").replaceAll("\\\n", " ").split("\n");
  return lines.filter((line) => line.startsWith(`${name} `));
}
