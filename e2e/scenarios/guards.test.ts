import { execFile } from "node:child_process";
import t from "tap";
import { bundleOf } from "../stack/service.ts";
import { skip, stage, type Scene } from "./scene.ts";

const GROUP = "guarded";
const on = stage(t);

/** A command of the pusher, with the configuration of the one that runs. */
function command(scene: Scene, ...args: readonly string[]): Promise<{ code: number; out: string }> {
  const given = [bundleOf("pusher"), ...args, "--config", scene.stack.pusher.configFile];
  return new Promise((resolve) => {
    execFile(process.execPath, given, { env: {} }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out + err }),
    );
  });
}

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly message: string }[] };
}

/** What the cluster says of the group. */
async function message(scene: Scene): Promise<string> {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name: GROUP };
  const { status } = await scene.cluster().plane.client.get<Definition>(where);
  return status?.conditions?.find(({ type }) => type === "InSync")?.message ?? "";
}

const writes = (scene: Scene): number =>
  scene.stack
    .firewall()
    .simulator.log()
    .filter(({ method }) => method !== "GET").length;

t.test(
  "a selector that is broken by an edit removes nobody, and one that is mended needs nobody's word",
  { skip },
  on(async (t, scene) => {
    await scene.namespace(GROUP);
    await scene.group(GROUP, { pods: { app: GROUP } });
    await scene.deployment(GROUP, GROUP, { replicas: 3 });
    const all = await scene.untilEqual(GROUP, { count: 3 });
    const before = writes(scene);
    await scene.group(GROUP, { pods: { app: "guraded" } });
    await scene.until(
      "the status to say so",
      async () => (await message(scene)).includes("approve") || undefined,
    );
    t.strictSame([...((await scene.members(GROUP)) ?? [])].toSorted(), [...all].toSorted());
    t.match(
      (await command(scene, "plan")).out,
      /held by last-member: .* of guarded \(cluster a\): an edit \(unselected\)/,
    );
    await scene.group(GROUP, { pods: { app: GROUP } });
    await scene.until(
      "nothing to wait",
      async () => (await command(scene, "approve")).out.includes("nothing waits") || undefined,
    );
    t.equal(writes(scene), before, "the firewall was not written");
  }),
);

t.test(
  "while they are held, the address of a pod that ends leaves all the same; what was meant goes when it is approved, by the hash that plan shows",
  { skip },
  on(async (t, scene) => {
    await scene.group(GROUP, { pods: { app: "another" } });
    await scene.until(
      "the status to say so",
      async () => (await message(scene)).includes("approve") || undefined,
    );
    const before = new Set(await scene.members(GROUP));
    await scene.scale(GROUP, GROUP, 2);
    const left = await scene.until("one to leave", async () => {
      const members = (await scene.members(GROUP)) ?? [];
      return members.length === 3 ? undefined : members;
    });
    t.equal(left.length, 2);
    t.ok(left.every((address) => before.has(address)));
    // What waits is put on record at most once a second; until then the hash is of all three.
    await scene.until(
      "two to wait",
      async () => (await command(scene, "approve")).out.includes("2 of guarded") || undefined,
    );
    const { out } = await command(scene, "plan");
    const [, hash] = /podgate-pusher approve ([0-9a-f]{12})/.exec(out) ?? [];
    const approved = await command(scene, "approve", hash ?? "", "--by", "alice");
    t.match(approved, { code: 0, out: /approved by alice: [^]*2 of guarded \(cluster a\), unselected/ });
    await scene.until(
      "the group to be empty",
      async () => (await scene.members(GROUP))?.length === 0 || undefined,
    );
    // The record of what waits is written at most once a second.
    const again = await scene.until("the hash to be of yesterday", async () => {
      const answer = await command(scene, "approve", hash ?? "");
      return answer.code === 0 ? undefined : answer;
    });
    t.match(again, { code: 2, out: /nothing waits under this hash/ });
    await scene.deployment(GROUP, GROUP, { replicas: 0 });
  }),
);
