import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * What the image of a service sets in its environment, as its Dockerfile says: the bench runs the services the same
 * way. Values with a build argument in them are left out.
 */
export function imageEnvironment(service: "watcher" | "pusher"): Record<string, string> {
  const file = fileURLToPath(new URL(`../../services/${service}/Dockerfile`, import.meta.url));
  const lines = readFileSync(file, "utf8").replaceAll("\\\n", " ").split("\n");
  const environment: Record<string, string> = {};
  for (const line of lines.filter((each) => each.startsWith("ENV "))) {
    for (const [, name = "", value = ""] of line.matchAll(/(?<= )(\w+)=(\S+)/g))
      if (!value.includes("$")) environment[name] = value.replaceAll('"', "");
  }
  return environment;
}
