import t, { type Test } from "tap";
import { quantile, rounded } from "../bench/quantiles.ts";
import { INSTALL } from "../stack/pusher.ts";
import { Exposures } from "./exposure.ts";
import type { Verdict } from "./judge.ts";
import { skip, stage, type Scene } from "./scene.ts";

/** Changes of the group that is timed, one after another. */
const CHANGES = 30;
/** A fault elsewhere may cost so much: what a busy machine itself adds between two runs. */
const MOST_RATIO = 2;
const NOISE_MS = 100;

const on = stage(t, {
  links: true,
  clusters: { a: {}, b: { podCidr: "10.43.0.0/16", nodeNetwork: "192.168.2" } },
  firewalls: { fw: { serial: "FGVM010000000010" }, calm: { serial: "FGVM010000000020" } },
});
const exposures = new Exposures(t, "faults-alone");

const NOT_CONCERNED = "not-concerned";

/** Adds and removes one pod after another, each once the last is on the firewall `calm`. */
async function exposure(scene: Scene): Promise<Verdict> {
  const since = Date.now();
  for (let change = 0; change < CHANGES; change += 1) {
    const count = 2 + (change % 2);
    await scene.scale(NOT_CONCERNED, NOT_CONCERNED, count);
    await scene.untilEqual(NOT_CONCERNED, { count, firewall: "calm", clusters: ["a"] });
  }
  return scene.judge(NOT_CONCERNED, { since, firewall: "calm" });
}

const all = ({ lateAdditions, lateRemovals }: Verdict): number[] => [...lateAdditions, ...lateRemovals];

/** The exposure of a group that has nothing to do with the fault, before it and while it lasts. */
async function compared(
  t: Test,
  scene: Scene,
  name: string,
  strike: () => Promise<unknown>,
  heal: () => Promise<unknown>,
): Promise<void> {
  await scene.namespace(NOT_CONCERNED);
  await scene.group(NOT_CONCERNED, { pods: { app: NOT_CONCERNED } });
  await scene.deployment(NOT_CONCERNED, NOT_CONCERNED, { replicas: 3 });
  await scene.untilEqual(NOT_CONCERNED, { count: 3, firewall: "calm" });
  const before = await exposure(scene);
  await strike();
  let during: Verdict;
  try {
    during = await exposure(scene);
  } finally {
    await heal();
  }
  t.strictSame([...before.wrong, ...during.wrong], [], "no member was wrong or late");
  const ratios: Record<string, number> = {};
  for (const [label, q] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const without = quantile(all(before), q);
    const withFault = quantile(all(during), q);
    ratios[`${label}Ratio`] = rounded(withFault / without);
    t.ok(
      withFault <= MOST_RATIO * without + NOISE_MS,
      `${label}: ${rounded(without)} ms without the fault, ${rounded(withFault)} ms with it`,
    );
  }
  exposures.note(t, name, during, ratios);
}

t.test(
  "a device that answers nothing does not delay the other one",
  { skip },
  on(async (t, scene) => {
    const link = scene.stack.link("firewall-fw");
    await compared(
      t,
      scene,
      "dead device",
      () => link.blackHole(),
      () => link.heal(),
    );
    await scene.untilEqual(NOT_CONCERNED, { firewall: "fw", ms: 90_000 });
  }),
);

t.test(
  "a cluster that is gone does not delay the other one",
  { skip },
  on(async (t, scene) => {
    const { plane, watcher } = scene.cluster("b");
    await compared(
      t,
      scene,
      "dead cluster",
      async () => {
        await plane.killApiServer();
        await watcher.kill();
      },
      async () => {
        await plane.restartApiServer();
        await watcher.start();
      },
    );
  }),
);

t.test(
  "a group that the device refuses does not delay the others",
  { skip },
  on(async (t, scene) => {
    const group = "refused";
    const { faults } = scene.stack.firewall("calm").simulator.device;
    await scene.namespace(group);
    await scene.group(group, { pods: { app: group } });
    await scene.deployment(group, group, { replicas: 2 });
    await scene.untilEqual(group, { count: 2, firewall: "calm" });
    await compared(
      t,
      scene,
      "refused group",
      async () => {
        const path = `firewall/addrgrp/pg.${INSTALL}.${group}.`;
        faults.add({ kind: "refuse", code: -1, methods: ["PUT"], path, times: 0 });
        await scene.scale(group, group, 6);
        await scene.until("a refusal", () => faults.list().some(({ struck }) => struck > 0) || undefined);
      },
      async () => {
        faults.clear();
        await scene.untilEqual(group, { count: 6, firewall: "calm", ms: 120_000 });
      },
    );
  }),
);
