import { ADDRESS_ACCESS } from "@podgate/fortios-simulator/access";
import t, { type Test } from "tap";
import { PRODUCT_USER } from "../stack/firewall.ts";
import { INSTALL } from "../stack/pusher.ts";
import { Exposures } from "./exposure.ts";
import { lasting, nothing, throughFault, type Fault } from "./meanwhile.ts";
import { skip, stage, type Scene } from "./scene.ts";

const VDOM = "k8s";
/** One write on a device with ten thousands of objects. */
const SLOW_MS = 10_000;
const TIMEOUT_SECONDS = 15;
/** The longest pause between tries (30 s), a drift period, and what is written then. */
const RECOVERY_MS = 45_000;
/** What a device refuses is tried again after 60 s, a target that it refuses to read after 30 s. */
const REFUSED_MS = 75_000;
const HELD_MS = 8000;

/** Of each scenario that takes a minute, so that they can run at the same time; of all others; and one without a fault. */
const DEVICES = ["slow", "denied", "gone", "full", "fw", "calm"] as const;
type Device = (typeof DEVICES)[number];

const on = stage(t, {
  firewalls: Object.fromEntries(
    DEVICES.map((name, at) => [name, { vdoms: ["root", VDOM], serial: `FGVM01000000010${at}` }]),
  ),
  pusher: {
    configuration: { driftSeconds: 3 },
    target: { vdom: VDOM, timeoutSeconds: TIMEOUT_SECONDS },
  },
});
const exposures = new Exposures(t, "faults-firewall");
// One object for each: tap writes into them.
const parallel = () => ({ skip, buffered: true });
const alone = () => ({ skip, buffered: false });
t.jobs = DEVICES.length;

const deviceOf = (scene: Scene, name: Device = "fw") => scene.stack.firewall(name).simulator.device;
type Strike = Parameters<ReturnType<typeof deviceOf>["faults"]["add"]>[0];
const WRITES = ["POST", "PUT", "DELETE"];

/** One firewall has the fault, `calm` has none. */
const through = (t: Test, scene: Scene, fault: Fault, firewall: Device = "fw"): Promise<void> =>
  throughFault(t, scene, exposures, fault, { firewall, calm: "calm", vdom: VDOM });

/** Requests of the pusher that the device struck since then. */
function struck(scene: Scene, since: number): number {
  const log = scene.stack.firewall("fw").simulator.log({ since });
  return log.filter(({ faults, userAgent }) => faults.length > 0 && userAgent !== "podgate-e2e").length;
}

const lastRequest = (scene: Scene): number => scene.stack.firewall("fw").simulator.log().at(-1)?.id ?? 0;

t.test(
  "the device takes ten seconds for each write",
  parallel(),
  on(async (t, scene) => {
    const device = deviceOf(scene, "slow");
    await through(
      t,
      scene,
      {
        name: "slow",
        strike: async () => {
          device.latency = { ...device.latency, write: SLOW_MS };
        },
        during: lasting(3 * SLOW_MS),
        heal: () => {
          device.latency = { ...device.latency, write: 0 };
        },
        boundMs: 6 * SLOW_MS,
      },
      "slow",
    );
  }),
);

t.test(
  "the permission is withdrawn, and given back",
  parallel(),
  on(async (t, scene) => {
    const device = deviceOf(scene, "denied");
    const profile = device.users.find(({ name }) => name === PRODUCT_USER)?.profile ?? ADDRESS_ACCESS;
    await through(
      t,
      scene,
      {
        name: "permission withdrawn",
        strike: () => {
          device.setRights(PRODUCT_USER, { fwgrp: "read", sysgrp: "none" });
        },
        during: lasting(HELD_MS),
        heal: () => {
          device.setRights(PRODUCT_USER, profile);
        },
        boundMs: HELD_MS + REFUSED_MS,
      },
      "denied",
    );
  }),
);

t.test(
  "the VDOM is gone with everything in it, and comes back empty",
  parallel(),
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall("gone");
    await through(
      t,
      scene,
      {
        name: "vdom gone",
        strike: () => {
          simulator.removeVdom(VDOM);
        },
        during: lasting(HELD_MS),
        heal: () => {
          simulator.addVdom(VDOM);
        },
        boundMs: HELD_MS + REFUSED_MS,
      },
      "gone",
    );
  }),
);

t.test(
  "the table of addresses is full: what leaves goes, and so does what is known",
  parallel(),
  on(async (t, scene) => {
    const { faults } = deviceOf(scene, "full");
    await through(
      t,
      scene,
      {
        name: "table full",
        strike: () => {
          faults.add({ kind: "table-full", methods: ["POST"], path: "firewall/address", times: 0 });
        },
        during: async () => {
          const held = () => scene.members("table-full", { firewall: "full", vdom: VDOM });
          await scene.until("what left to be gone", async () => {
            const pods = await scene.expected("table-full");
            return (await held())?.every((address) => pods.includes(address)) || undefined;
          });
          t.pass("removals are not held up");
        },
        heal: () => {
          faults.clear();
        },
        boundMs: REFUSED_MS,
      },
      "full",
    );
  }),
);

/** Faults of single requests. */
const STRIKES: readonly (readonly [name: string, ...strikes: readonly Strike[]])[] = [
  [
    "replies lost after the effect",
    { kind: "reply-lost", methods: ["POST"], path: "firewall/address" },
    { kind: "reply-lost", methods: ["PUT"], path: "firewall/addrgrp" },
  ],
  [
    "connections reset before and after the effect",
    { kind: "reset-before", methods: WRITES, times: 2 },
    { kind: "reset-after", methods: WRITES, after: 2, times: 2 },
  ],
  ["http 429", { kind: "status-before", status: 429, methods: WRITES, times: 3 }],
  ["http 503", { kind: "status-before", status: 503, methods: WRITES, times: 3 }],
  ["html after the effect", { kind: "status-after", status: 502, methods: WRITES, times: 3 }],
  ["404 right after a create", { kind: "not-found", methods: ["GET"], ms: 2000, times: 0 }],
  ["commands that are not queued", { kind: "refuse", code: -361, methods: WRITES, times: 3 }],
];

for (const [name, ...strikes] of STRIKES)
  t.test(
    `the device's answers: ${name}`,
    alone(),
    on(async (t, scene) => {
      const { faults } = deviceOf(scene);
      const since = lastRequest(scene);
      await through(t, scene, {
        name,
        strike: async () => {
          for (const strike of strikes) faults.add(strike);
        },
        during: () => scene.until("a request that is struck", () => struck(scene, since) > 0 || undefined),
        heal: async () => {
          faults.clear();
        },
        boundMs: RECOVERY_MS,
      });
    }),
  );

t.test(
  "the other unit of the pair takes over: another serial number answers",
  alone(),
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall("fw");
    await through(t, scene, {
      name: "ha failover",
      strike: () => {
        simulator.failover();
      },
      heal: nothing,
      boundMs: RECOVERY_MS,
    });
  }),
);

t.test(
  "the device reboots without having saved: what Podgate wrote is lost, and is written again",
  alone(),
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall("fw");
    await through(t, scene, {
      name: "reboot unsaved",
      strike: () => {
        simulator.reboot(HELD_MS);
        t.strictSame(simulator.device.resolve(VDOM, "reboot-unsaved"), [], "all is lost");
      },
      heal: lasting(HELD_MS),
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "the device's certificate is of an authority that is not trusted, until it is",
  alone(),
  on(async (t, scene) => {
    const firewall = scene.stack.firewall("fw");
    const { pusher } = scene.stack;
    const since = { log: pusher.log.length, request: 0 };
    await through(t, scene, {
      name: "certificate changed",
      strike: async () => {
        await firewall.renewCertificate();
        since.request = lastRequest(scene);
      },
      during: async () => {
        await pusher.logged("certificate", ({ msg }) => /certificate/i.test(msg), since.log);
        await lasting(HELD_MS)();
        t.strictSame(firewall.writes(since.request), [], "nothing is sent to it");
      },
      heal: () => {
        firewall.trust();
      },
      boundMs: HELD_MS + RECOVERY_MS,
    });
  }),
);

t.test(
  "an administrator empties our child and deletes our addresses while Podgate writes",
  alone(),
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall("fw");
    const { device } = simulator;
    const group = "vandal";
    const child = `pg.${INSTALL}.${group}.a.0`;
    let deleted = 0;
    const edit = (method: "PUT" | "DELETE", path: string) =>
      simulator.edit({ vdom: VDOM, method, path: `firewall/${path}`, body: { member: [] } }).status;
    const rampage = (): void => {
      for (let round = 0; round < 3; round += 1) {
        const members = device.group(VDOM, child)?.members ?? [];
        edit("PUT", `addrgrp/${child}`);
        for (const name of members) if (edit("DELETE", `address/${name}`) === 200) deleted += 1;
      }
    };
    await through(t, scene, {
      name: group,
      strike: () => {
        device.latency = { ...device.latency, write: 100 };
        const stop = device.subscribe(({ method }) => {
          if (method === "GET") return;
          // In the middle of what Podgate does: it has read, and is about to write on.
          stop();
          rampage();
        });
      },
      during: async () => {
        await scene.until("addresses to be deleted", () => deleted > 0 || undefined);
        rampage();
      },
      heal: () => {
        device.latency = { ...device.latency, write: 0 };
      },
      boundMs: RECOVERY_MS,
    });
    t.comment(`${deleted} addresses were deleted by hand`);
  }),
);

t.test(
  "a child that the administrator uses in a group of his own cannot go: it is empty, and goes once he let go",
  alone(),
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall("fw");
    const group = "in-use";
    const child = `pg.${INSTALL}.${group}.a.0`;
    const where = { firewall: "fw", vdom: VDOM };
    await scene.namespace(group);
    await scene.group(group, { pods: { app: group } });
    await scene.deployment(group, group, { replicas: 3 });
    await scene.untilEqual(group, { count: 3, ...where });
    const own = { vdom: VDOM, path: "firewall/addrgrp/by-hand" };
    const made = simulator.edit({
      vdom: VDOM,
      method: "POST",
      path: "firewall/addrgrp",
      body: { name: "by-hand", member: [{ name: child }] },
    });
    t.equal(made.status, 200);
    const definition = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name: group };
    await scene.cluster().plane.client.delete(definition);
    await scene.until("the child to be empty", () => {
      const view = simulator.device.group(VDOM, child);
      return view === undefined || view.addresses.length === 0 || undefined;
    });
    await scene.until("the other device's child to be gone", () => {
      const other = scene.stack.firewall("calm").simulator.device;
      return other.group(VDOM, child) === undefined || undefined;
    });
    t.ok(simulator.device.group(VDOM, child), "the device refuses to delete it");
    t.equal(simulator.edit({ ...own, method: "DELETE" }).status, 200);
    // What is in use is tried again after ten minutes, and by a pusher that starts.
    await scene.stack.pusher.restart();
    await scene.until(
      "the child to be gone",
      () => simulator.device.group(VDOM, child) === undefined || undefined,
    );
    t.strictSame(scene.judge(group, where).wrong, []);
  }),
);
