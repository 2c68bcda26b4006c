import t from "tap";
import { bundle } from "../bundle.ts";
import { sbom } from "../sbom.ts";
import { licensesText, thirdParties } from "../third-party.ts";

const product = { name: "podgate-x", version: "1.2.3", description: "x" };
const party = { version: "1.0.0", license: "MIT", sha512: "ab", texts: ["Copyright somebody"] };

interface Bill {
  readonly serialNumber: string;
  readonly components: readonly { readonly group?: string; readonly name: string; readonly purl: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}
const read = (text: string): Bill => JSON.parse(text) as Bill;

t.test("the bill of materials of a service names every package in its bundle, once", async (t) => {
  const { packages } = await bundle({ entry: "services/watcher/src/main.ts" });
  const parties = thirdParties(packages);
  const names = new Set(parties.map(({ name }) => name));
  for (const expected of ["@kubernetes/client-node", "@nats-io/transport-node", "fastify", "undici", "zod"])
    t.ok(names.has(expected), expected);
  for (const builder of ["esbuild", "tap", "typescript", "fast-check"]) t.notOk(names.has(builder), builder);
  const bill = read(sbom(product, parties));
  t.equal(new Set(bill.components.map(({ purl }) => purl)).size, parties.length);
  t.ok(
    parties.every(({ sha512 }) => /^[0-9a-f]{128}$/.test(sha512)),
    "with its hash from the lockfile",
  );
});

t.test("a scoped package has its scope as group, and its package URL escapes the @", async (t) => {
  const { components, dependencies } = read(sbom(product, [{ name: "@a/b", ...party }]));
  t.match(components, [{ group: "@a", name: "b", purl: "pkg:npm/%40a/b@1.0.0" }]);
  t.same(dependencies, [{ ref: "pkg:generic/podgate-x@1.2.3", dependsOn: ["pkg:npm/%40a/b@1.0.0"] }]);
});

t.test("the same parts give the same bill, other parts another serial number", async (t) => {
  const one = sbom(product, [{ name: "a", ...party }]);
  t.equal(one, sbom(product, [{ name: "a", ...party }]));
  t.match(
    read(one).serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  t.not(read(one).serialNumber, read(sbom(product, [{ name: "b", ...party }])).serialNumber);
});

t.test("the licenses of a service say for every package what its authors want said", async (t) => {
  const { packages } = await bundle({ entry: "services/pusher/src/main.ts" });
  const parties = thirdParties(packages);
  const text = licensesText(parties);
  for (const { name, version, license } of parties)
    t.ok(text.includes(`${name} ${version}\nLicense: ${license}\n`), name);
  const permissive = new Set([
    "MIT",
    "ISC",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Unlicense",
    "0BSD",
  ]);
  t.same(
    parties.filter(({ license }) => !permissive.has(license)),
    [],
  );
});
