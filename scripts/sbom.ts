import { createHash } from "node:crypto";
import type { ThirdParty } from "./third-party.ts";

export interface Product {
  /** `podgate-watcher` */
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

/**
 * A bill of materials of one bundle: CycloneDX 1.6 as JSON. The same parts give the same text: no time in it, and its
 * serial number is made of its content.
 */
export function sbom({ name, version, description }: Product, parties: readonly ThirdParty[]): string {
  const own = `pkg:generic/${name}@${version}`;
  const content = {
    metadata: {
      lifecycles: [{ phase: "build" }],
      component: {
        type: "application",
        "bom-ref": own,
        name,
        version,
        description,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: parties.map(componentOf),
    dependencies: [{ ref: own, dependsOn: parties.map(purlOf) }],
  };
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function componentOf(party: ThirdParty): object {
  const { name, version, license, sha512 } = party;
  const [scope, inner] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type: "library",
    "bom-ref": purlOf(party),
    ...(scope !== undefined && { group: scope }),
    name: inner,
    version,
    hashes: [{ alg: "SHA-512", content: sha512 }],
    // One identifier, or an expression of several.
    licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }],
    purl: purlOf(party),
  };
}

/** Package URL: the `@` of a scope is escaped. */
function purlOf({ name, version }: ThirdParty): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** Version 8 (RFC 9562): bits of our own choice, here a hash. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
