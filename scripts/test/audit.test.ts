import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";

/** The audit as it is run, against a registry that answers so. */
async function audit(t: Test, status: number, advisories: object): Promise<{ code: number; said: string }> {
  const registry = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(advisories));
    });
  });
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
  t.teardown(() => registry.close());
  const { port } = registry.address() as AddressInfo;
  const args = ["scripts/audit.ts", "--registry", `http://127.0.0.1:${port}/`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "exit") as Promise<[number]>]);
  return { code, said };
}

const advisory = (severity: string, id = 1): object => ({
  id,
  url: "https://example.invalid/advisory",
  title: "made up for this test",
  severity,
  vulnerable_versions: "<1000.0.0",
});

t.test("a registry that does not tell of advisories is said, and is no failure", async (t) => {
  t.match(await audit(t, 405, {}), {
    code: 0,
    said: "audit: not done: the registry does not tell of advisories: it answers with HTTP 405\n",
  });
});

t.test("nothing known is no failure", async (t) => {
  t.match(await audit(t, 200, {}), {
    code: 0,
    said: /^audit: \d+ packages, advisories: 0 high or critical in what is shipped, 0 others\n$/,
  });
});

t.test("what is high and in a service fails, with its name, its way in and where it is mended", async (t) => {
  const { code, said } = await audit(t, 200, { undici: [advisory("high")] });
  t.equal(code, 1);
  t.match(
    said,
    /^high: undici \d+\.\d+\.\d+: made up for this test \(https:.*\); mended in >=1000\.0\.0; by .*services__watcher>undici/,
  );
});

t.test("what is moderate, or in tests only, is told and fails nothing", async (t) => {
  const { code, said } = await audit(t, 200, {
    undici: [advisory("moderate")],
    testcontainers: [advisory("critical", 2)],
    "@peculiar/x509": [advisory("critical", 3)],
  });
  t.equal(code, 0);
  t.match(said, "moderate: undici");
  t.match(said, "critical: testcontainers");
  t.match(said, "critical: @peculiar/x509");
  t.match(said, "0 high or critical in what is shipped, 3 others");
});
