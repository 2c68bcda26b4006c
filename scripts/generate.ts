// Writes every generated file of the repository; `--check` only says which are stale, and fails.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { lintConfig } from "./lint-config.ts";

const FILES: Record<string, () => string | Promise<string>> = {
  ".oxlintrc.json": lintConfig,
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [file, make] of Object.entries(FILES)) {
  const text = await make();
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  stale += 1;
  if (check) {
    console.error(`${file} is stale: run "npm run generate"`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(file);
}
process.exit(check && stale > 0 ? 1 : 0);
