import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export interface Run {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly rests: number;
  readonly hash: string;
  readonly tallies: Readonly<Record<string, { readonly begun: number; readonly struck: number }>>;
  readonly violations: readonly string[];
  readonly replay: string;
}

/** The command in a process of its own: the hooks of the test library would make it several times slower. */
export function simulate(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [MAIN, ...args], options, (error, output, errors) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, output, errors });
    });
  });
}

export const runsIn = ({ output }: Ended): Run[] =>
  output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Run);
