import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { cacheFolder } from "../cache.ts";
import { partOf } from "../parts.ts";
import { findTool, obtainTool, PartMissing } from "../tool.ts";

/** A machine of our own: an empty cache, and a PATH with the given programs (shell scripts). */
function machine(t: Test, programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "podgate-tools-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { PATH: `${bin}:/nowhere`, XDG_CACHE_HOME: join(folder, "cache") };
  return { folder, bin, env, builds: () => readFileSync(join(folder, "builds"), "utf8") };
}

const GO = `
if [ "$1" = version ]; then echo "go version go1.26.8 linux/amd64"; exit 0; fi
for word in "$@"; do into=$last; last=$word; done
echo built >> "$HERE/builds"
printf '#!/bin/sh\n' > "$into/server"
printf '#!/bin/sh\n' > "$into/nats-server"
/bin/chmod 755 "$into/server" "$into/nats-server"`;

const hush = (): void => {};

t.test("two that need a part at the same time build it once, and both get the same file", async (t) => {
  const { env, folder, builds } = machine(t, { go: GO });
  const place = { ...env, HERE: folder };
  const [one, two] = await Promise.all([obtainTool("etcd", hush, place), obtainTool("etcd", hush, place)]);
  t.equal(builds(), "built\n");
  t.equal(one.path, two.path);
  t.equal(one.from, "built");
  t.match(one.path, join(folder, "cache/podgate/tools/etcd-"));
  const again = await obtainTool("etcd", hush, place);
  t.strictSame([again.from, again.path], ["cache", one.path], "the next one takes it from the cache");
});

t.test("an installed program is taken only in the pinned version", async (t) => {
  const right = machine(t, { "nats-server": 'echo "nats-server: v2.15.2"' });
  t.equal(findTool("nats-server", right.env)?.from, "installed");
  const wrong = machine(t, { "nats-server": 'echo "nats-server: v2.15.20"' });
  t.equal(findTool("nats-server", wrong.env), undefined);
});

t.test("a variable goes before everything else, and one that names no program is a fault", async (t) => {
  const { env, bin } = machine(t, { "nats-server": 'echo "nats-server: v2.15.2"', other: "exit 0" });
  const named = findTool("nats-server", { ...env, PODGATE_NATS_SERVER: join(bin, "other") });
  t.strictSame([named?.from, named?.path], ["override", join(bin, "other")]);
  t.throws(
    () => findTool("nats-server", { ...env, PODGATE_NATS_SERVER: join(bin, "absent") }),
    new RegExp(`PODGATE_NATS_SERVER is .*absent`),
  );
});

t.test("without a Go that is new enough, the message names the part and what to install", async (t) => {
  const { env } = machine(t, { go: 'echo "go version go1.19.8 linux/amd64"' });
  await t.rejects(obtainTool("kube-apiserver", hush, env), {
    name: PartMissing.name,
    message: /kube-apiserver.* 1\.37\.2: install Go 1\.26 or newer \(.*go is 1\.19\.8\)/,
  });
});

t.test("a build that fails leaves nothing in the cache and says what Go said", async (t) => {
  const { env, bin } = machine(t, {
    go: `if [ "$1" = version ]; then echo go1.26.8; exit 0; fi; echo no such module >&2; exit 1`,
  });
  await t.rejects(obtainTool("nats-server", hush, env), /building nats-server .* failed:\nno such module/);
  t.equal(findTool("nats-server", env), undefined);
  writeFileSync(join(bin, "go"), `#!/bin/sh\n${GO}\n`);
  const { from } = await obtainTool("nats-server", hush, { ...env, HERE: bin });
  t.equal(from, "built", "the next try is not kept out by the lock of the failed one");
});

t.test("the lock of a builder that is gone is taken over", async (t) => {
  const { env, folder } = machine(t, { go: GO });
  const lock = `${cacheFolder(partOf("nats-server").kit, env)}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  // Larger than any process number of Linux.
  writeFileSync(lock, "4194305");
  const { from } = await obtainTool("nats-server", hush, { ...env, HERE: folder });
  t.equal(from, "built");
});
