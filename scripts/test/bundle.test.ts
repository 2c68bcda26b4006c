import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import t from "tap";
import { bundle } from "../bundle.ts";

for (const service of readdirSync("services")) {
  t.test(`the bundle of ${service} contains no stand-in and no test`, async (t) => {
    const { standIns } = await bundle({ entry: `services/${service}/src/main.ts` });
    t.same(standIns, []);
  });
}

t.test("a stand-in in a bundle is found, directly or behind another file", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "podgate-bundle-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const planted = async (file: string): Promise<readonly string[]> => {
    const inner = join(folder, "inner.ts");
    const entry = join(folder, "main.ts");
    writeFileSync(inner, `export * from ${JSON.stringify(resolve(file))};\n`);
    writeFileSync(entry, 'import * as all from "./inner.ts";\nconsole.log(all);\n');
    return (await bundle({ entry })).standIns;
  };
  t.ok((await planted("shared/src/bus/memory.ts")).includes("shared/src/bus/memory.ts"));
  t.ok(
    (await planted("e2e/simulators/fortios/src/device.ts")).includes("e2e/simulators/fortios/src/device.ts"),
  );
  t.same(await planted("shared/src/bus/queue.ts"), []);
});
