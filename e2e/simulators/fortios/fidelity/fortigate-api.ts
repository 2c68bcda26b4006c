import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Simulator } from "../src/simulator.ts";
import { run } from "./environment.ts";
import type { Result } from "./result.ts";

/** The script prints one line of JSON per case. */
export async function runFortigateApi(
  bin: string,
  simulators: ReadonlyMap<string, Simulator>,
): Promise<Result[]> {
  const script = join(import.meta.dirname, "fortigate_api_cases.py");
  const folder = await mkdtemp(join(tmpdir(), "pg-fid-"));
  const results: Result[] = [];
  try {
    for (const [profile, simulator] of simulators) {
      const caFile = join(folder, `${profile}.pem`);
      await writeFile(caFile, simulator.ca ?? "");
      const empty = simulator.device.profile.emptyGroup ? "allowed" : "refused";
      const { code, stdout, stderr } = await run(
        join(bin, "python"),
        [script, String(simulator.port), simulator.token, empty],
        {
          REQUESTS_CA_BUNDLE: caFile,
        },
      );
      simulator.device.lockout.clear();
      for (const line of stdout.split("\n").filter((text) => text.startsWith("{"))) {
        const result = JSON.parse(line) as Pick<Result, "case" | "ok" | "detail">;
        results.push({ client: "fortigate-api", profile, ...result });
      }
      if (code !== 0) {
        results.push({
          client: "fortigate-api",
          profile,
          case: "run to the end",
          ok: false,
          detail: stderr.slice(-1000),
        });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results;
}
