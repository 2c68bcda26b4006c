import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Ran {
  /** Names of the tests at the top of the file. */
  readonly failed: readonly string[];
  readonly passed: readonly string[];
  /** It did not end in time. */
  readonly late: boolean;
}

const SUITE_MS = 60_000;
/** tap's own limit ends the test that hangs, and so gives it a name. */
const TEST_SECONDS = 40;

/** The process groups of test files under way: a test may have started servers. */
const running = new Set<number>();

/** Runs one test file in a tree, until `enough` of a failed test's name: then the rest does not matter. */
export async function runSuite(
  root: string,
  file: string,
  enough: (failed: string) => boolean = () => false,
): Promise<Ran> {
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env: { ...process.env, TAP_TIMEOUT: String(TEST_SECONDS), TAP_COLOR: "0" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  const failed: string[] = [];
  const passed: string[] = [];
  let late = false;
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const named = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*| # time=.*| \{)?$/.exec(line);
      if (named === null || named[3] !== undefined) continue;
      const [, not, name = ""] = named;
      (not === undefined ? passed : failed).push(name);
      if (not !== undefined && enough(name)) stop(pid);
    }
  });
  const limit = setTimeout(() => {
    late = true;
    stop(pid);
  }, SUITE_MS);
  await once(child, "close");
  clearTimeout(limit);
  if (pid !== undefined) running.delete(pid);
  return { failed, passed, late };
}

/** Ends every test file that is under way, with what it started. */
export function stopAll(): void {
  for (const pid of running) stop(pid);
}

function stop(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
