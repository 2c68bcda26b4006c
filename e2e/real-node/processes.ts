import { readdirSync, readFileSync } from "node:fs";

export interface ProcessView {
  readonly pid: number;
  readonly commandLine: string;
  readonly environment: string;
}

/** All of the node, as root sees them. */
export function processes(): ProcessView[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      commandLine: read(`/proc/${name}/cmdline`),
      environment: read(`/proc/${name}/environ`),
    }));
}

/** The first processes of the services' containers. */
export function serviceProcesses(): ProcessView[] {
  return processes().filter(({ commandLine }) => commandLine.includes("/podgate/main.mjs"));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}
