import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skipWithout, tool } from "@podgate/e2e/tools/tool";
import { UserError } from "@podgate/shared/runtime/errors";
import t from "tap";
import { busUsersCommand } from "../src/commands/bus-users.ts";

const configuration = {
  clusters: [
    { name: "a", groups: ["*"], cidrs: [] },
    { name: "b", groups: ["*"], cidrs: [] },
  ],
};

function folderOf(t: { teardown: (run: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), "podgate-users-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const running = (options: Parameters<typeof busUsersCommand>[1]) => () =>
  busUsersCommand(configuration, options);

const users = (folder: string): string => readFileSync(join(folder, "users.conf"), "utf8");
const keysIn = (text: string): string[] =>
  [...text.matchAll(/nkey: (U[A-Z2-7]{55})$/gm)].map(([, key]) => key ?? "");

t.test("each user gets a seed that only the owner reads, and a public key in users.conf", (t) => {
  const folder = folderOf(t);
  busUsersCommand(configuration, { folder, rotate: undefined });
  t.strictSame(readdirSync(folder).toSorted(), ["cluster-a.nk", "cluster-b.nk", "pusher.nk", "users.conf"]);
  t.equal(new Set(keysIn(users(folder))).size, 3);
  for (const name of ["cluster-a", "cluster-b", "pusher"]) {
    const file = join(folder, `${name}.nk`);
    t.equal(statSync(file).mode & 0o777, 0o600, name);
    t.notOk(users(folder).includes(readFileSync(file, "utf8")), "no seed in users.conf");
  }
  t.match(users(folder), /"podgate\.members\.a\.>"/);
  t.end();
});

t.test("nats-server takes users.conf", { skip: skipWithout("nats-server") }, async (t) => {
  const folder = folderOf(t);
  busUsersCommand(configuration, { folder, rotate: undefined });
  const file = join(folder, "nats-server.conf");
  writeFileSync(file, "include users.conf\n");
  const check = (): number | null => spawnSync(server, ["-t", "-c", file]).status;
  const server = await tool("nats-server");
  t.equal(check(), 0);
  writeFileSync(join(folder, "users.conf"), users(folder).replace("nkey: U", "nkey: X"));
  t.not(check(), 0, "and would tell of a key that is none");
});

t.test("keys that are there stay; a new cluster is added to them", (t) => {
  const folder = folderOf(t);
  busUsersCommand(configuration, { folder, rotate: undefined });
  const before = keysIn(users(folder));
  const clusters = [...configuration.clusters, { name: "c", groups: ["*"], cidrs: [] }];
  busUsersCommand({ clusters }, { folder, rotate: undefined });
  const after = keysIn(users(folder));
  t.equal(after.length, 4);
  t.ok(before.every((key) => after.includes(key)));
  t.end();
});

t.test("a rotated key stands beside the one before it, until that one's file is deleted", (t) => {
  const folder = folderOf(t);
  busUsersCommand(configuration, { folder, rotate: undefined });
  const [before = ""] = keysIn(users(folder));
  busUsersCommand(configuration, { folder, rotate: "cluster-a" });
  const [now, previous] = keysIn(users(folder));
  t.not(now, before);
  t.equal(previous, before);
  rmSync(join(folder, "cluster-a.previous.nk"));
  busUsersCommand(configuration, { folder, rotate: undefined });
  t.notOk(users(folder).includes(before));
  t.equal(keysIn(users(folder))[0], now);
  t.end();
});

t.test("an unknown user, a folder that cannot be made and a broken seed are said in words", (t) => {
  const folder = folderOf(t);
  t.throws(running({ folder, rotate: "cluster-x" }), {
    name: UserError.name,
    message: "--rotate cluster-x: there is no such user; there are cluster-a, cluster-b, pusher",
  });
  writeFileSync(join(folder, "file"), "");
  t.throws(running({ folder: join(folder, "file", "sub"), rotate: undefined }), {
    name: UserError.name,
    message: /choose another --out/,
  });
  writeFileSync(join(folder, "pusher.nk"), "SECRET-THAT-IS-NO-SEED");
  try {
    running({ folder, rotate: undefined })();
    t.fail("a broken seed is taken");
  } catch (error) {
    t.match(error, { name: UserError.name, message: /pusher\.nk: holds no seed/ });
    t.notMatch(error, { message: /SECRET/ });
  }
  t.end();
});
