import { build } from "esbuild";

/** Files that only tests may run: simulators, the in-memory bus, tests themselves. */
const STAND_IN = /(^|\/)e2e\/|-simulator\/|\/src\/bus\/memory[^/]*\.ts$|(^|\/)test\/|\.test\.ts$/;

export interface BundleOptions {
  /** File the bundle begins with, from the root of the repository. */
  readonly entry: string;
  /** Where it goes; absent = it is only calculated. */
  readonly outfile?: string;
}

/**
 * One ESM file with everything a service needs but Node, and a source map beside it.
 *
 * @returns the stand-ins that got into it: must be none
 */
export async function bundle({ entry, outfile }: BundleOptions): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile: outfile ?? "bundle.mjs",
    write: outfile !== undefined,
    metafile: true,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    sourcemap: "linked",
    legalComments: "linked",
    logLevel: "warning",
    // CommonJS dependencies call require() of node's own modules.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  return Object.keys(metafile.inputs).filter(
    (file) => !file.includes("node_modules/") && STAND_IN.test(file),
  );
}
