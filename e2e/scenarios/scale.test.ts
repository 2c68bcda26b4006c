import t from "tap";
import { membershipHistory } from "../stack/history.ts";
import { INSTALL } from "../stack/pusher.ts";
import { skip, stage, type Scene } from "./scene.ts";

/** Members that a group of the small model takes. */
const MOST_MEMBERS = 600;
const PODS = 2000;
/** Milliseconds that the slow device takes for a write. */
const R = 250;
/** What API server, watcher, bus and pusher may take together on a machine that runs all of them at once. */
const ON_THE_WAY_MS = 500;
/** And once in a while. */
const STALLED_MS = 2000;
const FILL_MS = 150_000;
/** So late may this process, with the simulators in it, hear of a pod while thousands come. */
const HEARD_MS = 30_000;

const on = stage(t, {
  firewalls: {
    small: { model: "entry", serial: "FGT60F0000000001", loggedBody: 0 },
    slow: { model: "vm", serial: "FGVM010000000002" },
  },
  pusher: {
    target: { burst: 10_000, perSecond: 10_000 },
    configuration: {
      routes: [
        { targets: ["small"], clusters: ["a"], groups: ["large"] },
        { targets: ["slow"], clusters: ["a"], groups: ["busy"] },
      ],
    },
  },
});

/** Waits until a group has so many members; asks the device itself, which costs nothing. */
const untilSize = (scene: Scene, firewall: string, group: string, size: (found: number) => boolean) => {
  const { device } = scene.stack.firewall(firewall).simulator;
  const count = (): number => device.resolve("root", group).length;
  return scene.until(
    () => `the members of ${group}: ${count()}`,
    () => size(count()) || undefined,
    FILL_MS,
  );
};

/** Members of each child group of ours, by its name. */
function shards(scene: Scene, group: string): Map<string, readonly string[]> {
  const { device } = scene.stack.firewall("small").simulator;
  const children = device.groups("root").filter(({ name }) => name.startsWith(`pg.${INSTALL}.${group}.`));
  return new Map(children.map(({ name, members }) => [name, members]));
}

t.test(
  `${PODS} pods in one group on a model with ${MOST_MEMBERS} members per group`,
  { skip },
  on(async (t, scene) => {
    const onSmall = { firewall: "small" };
    await scene.namespace("large");
    await scene.group("large", { pods: { app: "large" } });
    await scene.deployment("large", "large", { replicas: PODS });
    await untilSize(scene, "small", "large", (found) => found === PODS);
    await scene.untilEqual("large", { count: PODS, ...onSmall });
    const full = shards(scene, "large");
    const sizes = [...full.values()].map(({ length }) => length);
    t.equal(full.size, Math.ceil(PODS / MOST_MEMBERS), "as few child groups as it takes");
    t.ok(Math.max(...sizes) <= MOST_MEMBERS, `members of each: ${sizes.join(", ")}`);
    t.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      PODS,
      "no address is in two of them",
    );
    const refused = scene.stack
      .firewall("small")
      .writes()
      .filter(({ status }) => status !== 200);
    t.strictSame(refused, [], "the device refused nothing");

    await scene.scale("large", "large", PODS / 2);
    await untilSize(scene, "small", "large", (found) => found === PODS / 2);
    await scene.untilEqual("large", { count: PODS / 2, ...onSmall });
    for (const [name, members] of shards(scene, "large")) {
      const before = new Set(full.get(name));
      t.ok(
        members.every((member) => before.has(member)),
        `what stays in ${name} was there before`,
      );
    }
    t.strictSame(scene.judge("large", { boundMs: FILL_MS, slackMs: HEARD_MS, ...onSmall }).wrong, []);
  }),
);

t.test(
  "500 new addresses on a slow device while others are removed: removals do not wait",
  { skip },
  on(async (t, scene) => {
    const onSlow = { firewall: "slow" };
    const firewall = scene.stack.firewall("slow");
    const { device } = firewall.simulator;
    await scene.namespace("busy");
    await scene.group("busy", { pods: { role: "busy" } });
    await scene.deployment("busy", "leaving", { replicas: 12, labels: { role: "busy" } });
    await scene.deployment("busy", "coming", { replicas: 0, labels: { role: "busy" } });
    const leaving = await scene.untilEqual("busy", { count: 12, ...onSlow });

    device.latency = { ...device.latency, write: R };
    await scene.deployment("busy", "coming", { replicas: 500, labels: { role: "busy" } });
    // What Kubernetes itself takes to start so many is not measured.
    await scene.until(
      "500 pods to start",
      async () => (await startedPods(scene, "busy")) === leaving.length + 500 || undefined,
      FILL_MS,
    );
    await untilSize(scene, "slow", "busy", (found) => found > leaving.length);
    const waits: number[] = [];
    const isGone = (members: ReadonlySet<string>, count: number): boolean =>
      leaving.filter((address) => !members.has(address)).length === count;
    for (let gone = 1; gone <= leaving.length; gone += 1) {
      const from = Date.now();
      await scene.scale("busy", "leaving", leaving.length - gone);
      await scene.until(
        `${gone} addresses to leave`,
        () => isGone(new Set(device.resolve("root", "busy")), gone) || undefined,
      );
      const states = membershipHistory(firewall, "busy").filter(({ at }) => at >= from);
      waits.push((states.find(({ members }) => isGone(members, gone))?.at ?? Infinity) - from);
    }
    t.ok(device.resolve("root", "busy").length < 400, "most additions are still to come");

    // The write in flight and the removal's own. Additions that wait for creations wait a second more.
    const median = waits.toSorted((one, other) => one - other)[waits.length / 2] ?? Infinity;
    t.ok(median <= 2 * R + ON_THE_WAY_MS, `removed after ${waits.join(", ")} ms`);
    t.ok(Math.max(...waits) <= 2 * R + STALLED_MS, "nor does any single one wait long");
    t.ok(longestWait(scene) <= 1000 + 4 * R + STALLED_MS, "additions go out meanwhile");

    device.latency = { ...device.latency, write: 0 };
    await untilSize(scene, "slow", "busy", (found) => found === 500);
    await scene.untilEqual("busy", { count: 500, ...onSlow });
    t.strictSame(scene.judge("busy", { boundMs: FILL_MS, slackMs: HEARD_MS, ...onSlow }).wrong, []);
  }),
);

/** Pods that have an address. */
async function startedPods(scene: Scene, namespace: string): Promise<number> {
  const pods = await scene.pods(namespace);
  return pods.filter((pod) => (pod["status"] as { podIP?: string }).podIP !== undefined).length;
}

/** Milliseconds between changes of the group, at most. */
function longestWait(scene: Scene): number {
  const states = membershipHistory(scene.stack.firewall("slow"), "busy").slice(1);
  return Math.max(...states.slice(1).map(({ at }, place) => at - (states[place]?.at ?? at)));
}
