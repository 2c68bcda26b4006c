import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** A package of others that is in a bundle. */
export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  /** SHA-512 of the published archive, as hex: from the lockfile. */
  readonly sha512: string;
  /** Texts of its license and notice files; empty where it carries none. */
  readonly texts: readonly string[];
}

const LEGAL = /^(licen[cs]e|copying|notice)/i;

/**
 * @param folders of the packages, as the bundle names them
 * @throws Error a package says no license, or is not in the lockfile
 */
export function thirdParties(folders: readonly string[]): ThirdParty[] {
  const { packages } = parse(readFileSync("pnpm-lock.yaml", "utf8")) as Lockfile;
  const found = new Map<string, ThirdParty>();
  for (const folder of folders) {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    const { name, version, license } = manifest;
    const id = `${name}@${version}`;
    const { integrity } = packages[id]?.resolution ?? {};
    if (license === undefined) throw new Error(`${id} says no license in its package.json`);
    if (integrity?.startsWith("sha512-") !== true) throw new Error(`${id} has no SHA-512 in pnpm-lock.yaml`);
    const texts = readdirSync(folder, { withFileTypes: true })
      .filter((file) => file.isFile() && LEGAL.test(file.name))
      .map((file) => file.name)
      .toSorted()
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    const sha512 = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
    found.set(id, { name, version, license, sha512, texts });
  }
  // By code unit: the same order on every machine.
  return [...found.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** All licenses as one text, for those who get the bundle. */
export function licensesText(parties: readonly ThirdParty[]): string {
  const line = "=".repeat(80);
  const parts = parties.map(({ name, version, license, texts }) =>
    [line, `${name} ${version}`, `License: ${license}`, line, "", texts.join("\n\n"), ""].join("\n"),
  );
  return `Packages of others in this program, and their licenses\n\n${parts.join("\n")}`;
}

const keyOf = ({ name, version }: ThirdParty): string => `${name}@${version}`;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly resolution: { readonly integrity?: string } } | undefined>
  >;
}
