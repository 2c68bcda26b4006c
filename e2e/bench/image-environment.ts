import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * What the image of a service sets in its environment, as its Dockerfile says: the bench runs the services the same
 * way. Values with a build argument in them are left out.
 */
export function imageEnvironment(service: "watcher" | "pusher"): Record<string, string> {
  const file = fileURLToPath(new URL(`../../services/${service}/Dockerfile`, import.meta.url));
  const lines = readFileSync(file, "utf8").replaceAll("\\\n", " ").split("\n");
  const pairs = lines
    .filter((line) => line.startsWith("ENV "))
    .flatMap((line) => [...line.matchAll(/(?<= )(\w+)=(\S+)/g)])
    .map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")])
    .filter(([, value]) => !value?.includes("$"));
  return Object.fromEntries(pairs);
}
