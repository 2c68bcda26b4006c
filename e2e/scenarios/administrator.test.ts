import t, { type Test } from "tap";
import { INSTALL } from "../stack/pusher.ts";
import { skip, stage, type Scene } from "./scene.ts";

const DRIFT_SECONDS = 2;
/** A drift read comes up to a fifth late; the rest is for the machine. */
const REPAIRED_MS = DRIFT_SECONDS * 1200 + 5000;

/** Scenarios share a cluster: what one of them deletes is not weighed with what another one does. */
const GUARDS = { massRemoval: { maxCount: 100 } };
const on = stage(t, { pusher: { configuration: { driftSeconds: DRIFT_SECONDS, guards: GUARDS } } });

const objectOf = (address: string): string => `pg.${INSTALL}.${address}`;
const childOf = (group: string): string => `pg.${INSTALL}.${group}.a.0`;
const names = (...all: string[]): { name: string }[] => all.map((name) => ({ name }));

type Row = Readonly<Record<string, unknown>> & { readonly name: string };

/** A row as the firewall's API gives it. */
async function row(scene: Scene, table: "address" | "addrgrp", name: string): Promise<Row | undefined> {
  const rows = await scene.stack.firewall().rows<Row>(`firewall/${table}`);
  return rows.find((each) => each.name === name);
}

async function memberNames(scene: Scene, group: string): Promise<string[] | undefined> {
  const found = (await row(scene, "addrgrp", group))?.["member"] as { name: string }[] | undefined;
  return found?.map(({ name }) => name).toSorted();
}

/** The administrator at the console; the device must take it. */
function edit(scene: Scene, method: "POST" | "PUT" | "DELETE", path: string, body: object = {}): void {
  const change = { method, path: `firewall/${path}`, body: body as Record<string, unknown> };
  const { status } = scene.stack.firewall().simulator.edit(change);
  if (status !== 200) throw new Error(`${method} ${path} at the console: ${status}`);
}

/** What a group holds, without a moment in which Podgate could change it. */
const heldNow = (scene: Scene, group: string): readonly string[] =>
  scene.stack.firewall().simulator.device.resolve("root", group);

/** An address object of his own. */
function makeAddress(scene: Scene, name: string, address: string): void {
  edit(scene, "POST", "address", { name, subnet: `${address} 255.255.255.255`, comment: "by hand" });
}

/** Waits until the group holds what the API server says and the administrator's own. */
async function untilHolds(scene: Scene, group: string, own: readonly string[], count: number): Promise<void> {
  let state = "";
  await scene.until(
    () => `${group} to hold ${count} pods and ${own.join(" ")}: ${state}`,
    async () => {
      const expected = await scene.expected(group);
      const wanted = [...expected, ...own].toSorted().join(" ");
      const actual = (await scene.members(group))?.join(" ");
      state = `pods ${expected.join(" ")}; firewall ${actual ?? "has no such group"}`;
      return (expected.length === count && actual === wanted) || undefined;
    },
  );
}

interface Status {
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message: string;
  }[];
}

/** What `kubectl get` and `kubectl describe` say of it being in step. */
async function inSync(scene: Scene, name: string) {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name };
  const { status } = await scene.cluster().plane.client.get<{ status?: Status }>(where);
  return status?.conditions?.find(({ type }) => type === "InSync");
}

async function untilSays(scene: Scene, group: string, status: "True" | "False", about: RegExp) {
  let said: unknown;
  await scene.until(
    () => `the status of ${group} to say ${String(about)}: ${JSON.stringify(said)}`,
    async () => {
      const condition = await inSync(scene, group);
      said = condition;
      return (condition?.status === status && about.test(condition.message)) || undefined;
    },
  );
}

/** Waits for a line of the pusher's log that tells of somebody's change. */
const drifted = (scene: Scene, kind: string, object: string, after: number) =>
  scene.stack.pusher.logged(
    `drift ${kind} of ${object}`,
    (line) => line["drift"] === kind && line["object"] === object,
    after,
  );

/** A group of its own namespace, with so many pods. */
async function groupOfPods(scene: Scene, name: string, replicas: number): Promise<void> {
  await scene.namespace(name);
  await scene.deployment(name, name, { replicas });
  await scene.group(name, { pods: { app: name } });
}

t.test(
  "an object that is named like ours but lacks our mark is never touched, is not used, and is reported",
  { skip },
  on(async (t, scene) => {
    await scene.namespace("lookalike");
    await scene.deployment("lookalike", "lookalike", { replicas: 2 });
    const [taken = "", free = ""] = await scene.until("two pods with addresses", async () => {
      const pods = await scene.pods("lookalike");
      const found = pods.flatMap((pod) => (pod["status"] as { podIP?: string }).podIP ?? []);
      return found.length === 2 ? found.toSorted() : undefined;
    });
    makeAddress(scene, objectOf(taken), "192.0.2.1");
    const before = await row(scene, "address", objectOf(taken));
    await scene.group("lookalike", { pods: { app: "lookalike" } });
    await scene.until(
      "the other pod",
      async () => (await scene.members("lookalike"))?.includes(free) || undefined,
    );
    await untilSays(scene, "lookalike", "False", new RegExp(`1 of 2 .*${taken}.*somebody else's`));
    t.strictSame(await scene.members("lookalike"), [free], "nor is what it stands for in the group");
    t.strictSame(await row(scene, "address", objectOf(taken)), before, "it is as it was");

    edit(scene, "DELETE", `address/${objectOf(taken)}`);
    await scene.untilEqual("lookalike", { count: 2 });
    await untilSays(scene, "lookalike", "True", /./);
  }),
);

t.test(
  "a group that is named like one of our children but lacks our mark is never touched, and is reported",
  { skip },
  on(async (t, scene) => {
    makeAddress(scene, "admin-taken", "192.0.2.2");
    edit(scene, "POST", "addrgrp", { name: childOf("taken"), member: names("admin-taken") });
    const before = await row(scene, "addrgrp", childOf("taken"));
    await groupOfPods(scene, "taken", 1);
    await untilSays(scene, "taken", "False", /somebody else's group/);
    t.strictSame(await row(scene, "addrgrp", childOf("taken")), before, "it is as it was");
    t.notOk(
      ((await memberNames(scene, "taken")) ?? []).includes(childOf("taken")),
      "no policy sees it as ours",
    );
  }),
);

t.test(
  "a group that the administrator made keeps his members, also one that he adds while Podgate writes",
  { skip },
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall();
    makeAddress(scene, "admin-1", "192.0.2.11");
    makeAddress(scene, "admin-2", "192.0.2.12");
    edit(scene, "POST", "addrgrp", { name: "legacy", member: names("admin-1"), comment: "by hand" });
    await groupOfPods(scene, "legacy", 2);
    await untilHolds(scene, "legacy", ["192.0.2.11"], 2);

    simulator.device.latency = { ...simulator.device.latency, write: 100 };
    const since = simulator.log().at(-1)?.id ?? 0;
    await scene.scale("legacy", "legacy", 8);
    await scene.until(
      "the first writes",
      () => scene.stack.firewall().writes(since).length >= 2 || undefined,
    );
    edit(scene, "POST", "addrgrp/legacy/member", { name: "admin-2" });
    const writesBefore = scene.stack.firewall().writes(since).length;
    await untilHolds(scene, "legacy", ["192.0.2.11", "192.0.2.12"], 8);
    t.ok(scene.stack.firewall().writes(since).length > writesBefore, "Podgate wrote before and after him");
    simulator.device.latency = { ...simulator.device.latency, write: 0 };

    await scene.scale("legacy", "legacy", 1);
    await untilHolds(scene, "legacy", ["192.0.2.11", "192.0.2.12"], 1);
    t.strictSame(await memberNames(scene, "legacy"), ["admin-1", "admin-2", childOf("legacy")].toSorted());
    t.equal((await row(scene, "addrgrp", "legacy"))?.["comment"], "by hand");
    t.strictSame(scene.judge("legacy", { foreign: ["192.0.2.11", "192.0.2.12"] }).wrong, []);
  }),
);

t.test(
  "an administrator who saves his group without our child gets it back, and keeps what he saved",
  { skip },
  on(async (t, scene) => {
    makeAddress(scene, "admin-saved", "192.0.2.21");
    await groupOfPods(scene, "saved", 2);
    await scene.untilEqual("saved", { count: 2 });
    const after = scene.stack.pusher.log.length;
    edit(scene, "PUT", "addrgrp/saved", { member: names("admin-saved") });
    await untilHolds(scene, "saved", ["192.0.2.21"], 2);
    await drifted(scene, "detached", "saved", after);
    t.strictSame(await memberNames(scene, "saved"), ["admin-saved", childOf("saved")]);
  }),
);

t.test(
  "an address of ours whose mask somebody widens is repaired at the next drift read, and told",
  { skip },
  on(async (t, scene) => {
    await groupOfPods(scene, "widened", 2);
    const [address = "", other = ""] = await scene.untilEqual("widened", { count: 2 });
    const after = scene.stack.pusher.log.length;
    edit(scene, "PUT", `address/${objectOf(address)}`, { subnet: "10.0.0.0 255.0.0.0" });
    t.strictSame(heldNow(scene, "widened"), ["10.0.0.0/8", other], "the group is much too wide");
    await scene.untilEqual("widened", { count: 2, ms: REPAIRED_MS });
    await drifted(scene, "address-changed", objectOf(address), after);
  }),
);

t.test(
  "what somebody puts into a child of ours leaves it, and what he takes out is back",
  { skip },
  on(async (t, scene) => {
    makeAddress(scene, "admin-stranger", "192.0.2.31");
    await groupOfPods(scene, "edited", 3);
    const [lost = "", ...kept] = await scene.untilEqual("edited", { count: 3 });
    const after = scene.stack.pusher.log.length;
    edit(scene, "PUT", `addrgrp/${childOf("edited")}`, {
      member: names("admin-stranger", ...kept.map(objectOf)),
    });
    t.strictSame(heldNow(scene, "edited"), [...kept, "192.0.2.31"].toSorted());
    await scene.untilEqual("edited", { count: 3, ms: REPAIRED_MS });
    const stranger = await drifted(scene, "stranger", childOf("edited"), after);
    const missing = await drifted(scene, "member-missing", childOf("edited"), after);
    t.match(stranger.msg, "admin-stranger");
    t.match(missing.msg, lost);
    t.ok(await row(scene, "address", "admin-stranger"), "the object itself is his");
  }),
);

/** Waits until the firewall has no child of ours for the group. */
async function untilChildless(scene: Scene, group: string): Promise<void> {
  const prefix = `pg.${INSTALL}.${group}.`;
  const firewall = scene.stack.firewall();
  await scene.until(
    `no child of ${group}`,
    async () => (await firewall.groups()).every((name) => !name.startsWith(prefix)) || undefined,
  );
}

async function deleteGroup(scene: Scene, name: string): Promise<void> {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name };
  await scene.cluster().plane.client.delete(where);
}

t.test(
  "a group deleted in Kubernetes: our own unused one goes from the firewall",
  { skip },
  on(async (t, scene) => {
    await groupOfPods(scene, "unused", 2);
    await scene.untilEqual("unused", { count: 2 });
    await deleteGroup(scene, "unused");
    await untilChildless(scene, "unused");
    await scene.until(
      "the group to go",
      async () => (await scene.members("unused")) === undefined || undefined,
    );
    t.equal((await scene.pods("unused")).length, 2, "its pods run on");
  }),
);

t.test(
  "a group deleted in Kubernetes: one that a policy uses stays, empty, and the policy with it",
  { skip },
  on(async (t, scene) => {
    await groupOfPods(scene, "in-policy", 2);
    await scene.untilEqual("in-policy", { count: 2 });
    edit(scene, "POST", "policy", {
      policyid: 7,
      name: "by hand",
      srcintf: names("any"),
      dstintf: names("any"),
      srcaddr: names("in-policy"),
      dstaddr: names("all"),
      service: names("ALL"),
      schedule: "always",
      action: "accept",
    });
    await deleteGroup(scene, "in-policy");
    await untilChildless(scene, "in-policy");
    await staysThrough(t, scene, "in-policy", []);
    const policies = await scene.stack.firewall().rows<{ srcaddr: { name: string }[] }>("firewall/policy");
    t.match(policies, [{ srcaddr: [{ name: "in-policy" }] }]);
  }),
);

t.test(
  "a group deleted in Kubernetes: one that the administrator made stays with his members",
  { skip },
  on(async (t, scene) => {
    makeAddress(scene, "admin-left", "192.0.2.41");
    edit(scene, "POST", "addrgrp", { name: "left", member: names("admin-left") });
    await groupOfPods(scene, "left", 2);
    await untilHolds(scene, "left", ["192.0.2.41"], 2);
    await deleteGroup(scene, "left");
    await untilChildless(scene, "left");
    await staysThrough(t, scene, "left", ["192.0.2.41"]);
    t.strictSame(await memberNames(scene, "left"), ["admin-left"]);
  }),
);

/** Whatever comes after the deletion has come once two more drift reads are over. */
async function staysThrough(t: Test, scene: Scene, group: string, members: readonly string[]): Promise<void> {
  const firewall = scene.stack.firewall();
  const since = firewall.simulator.log().at(-1)?.id ?? 0;
  const reads = (): number =>
    firewall.simulator
      .log({ since, methods: ["GET"], path: "cmdb/firewall/addrgrp6" })
      .filter(({ userAgent }) => userAgent !== "podgate-e2e").length;
  await scene.until("two drift reads", () => reads() >= 2 || undefined);
  t.strictSame(await scene.members(group), members, `${group} stays, and nothing of ours is in it`);
}
