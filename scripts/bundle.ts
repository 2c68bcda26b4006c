import { build } from "esbuild";

/** Files that only tests may run: simulators, the in-memory bus, tests themselves. */
const STAND_IN = /(^|\/)e2e\/|-simulator\/|\/src\/bus\/memory[^/]*\.ts$|(^|\/)test\/|\.test\.ts$/;
/** The folder of the package that a file is in: after the last `node_modules/`, with its scope if it has one. */
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

export interface BundleOptions {
  /** File the bundle begins with, from the root of the repository. */
  readonly entry: string;
  /** Where it goes; absent = it is only calculated. */
  readonly outfile?: string;
}

export interface Bundle {
  /** Must be none in what users get. */
  readonly standIns: readonly string[];
  /** Folders of the packages of others in it, sorted. */
  readonly packages: readonly string[];
}

/** One ESM file with everything a program needs but Node, and a source map beside it. */
export async function bundle({ entry, outfile }: BundleOptions): Promise<Bundle> {
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
    // Comments that are not ASCII would make V8 keep two bytes for each character of the whole file.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
    // CommonJS dependencies call require() of node's own modules.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  const files = Object.keys(metafile.inputs);
  return {
    standIns: files.filter((file) => !file.includes("node_modules/") && STAND_IN.test(file)),
    packages: [...new Set(files.flatMap((file) => PACKAGE.exec(file)?.[0] ?? []))].toSorted(),
  };
}
