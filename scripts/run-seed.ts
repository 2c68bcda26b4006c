import { execFileSync } from "node:child_process";

/**
 * The seed of one run of the tests, up to 32 bits: the one given as TEST_SEED, or one drawn from the tree of the commit,
 * so that a second run of it tries the same and the next commit tries something else; by chance outside a git checkout.
 * @throws Error for a TEST_SEED that is no such number
 */
export function runSeed(given: string | undefined, treeOf: () => string = headTree): number {
  if (given !== undefined) {
    const seed = Number(given);
    if (given !== "" && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31) return seed;
    throw new Error(`TEST_SEED: "${given}" must be a whole number from 0 to ${2 ** 31 - 1}`);
  }
  try {
    return Number.parseInt(treeOf().slice(0, 8), 16) % 2 ** 31;
  } catch {
    return Math.floor(Math.random() * 2 ** 31);
  }
}

function headTree(): string {
  return execFileSync("git", ["rev-parse", "HEAD^{tree}"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}
