import { ADDRESS_ACCESS, type AccProfile } from "@podgate/fortios-simulator/access";
import {
  addVdom,
  checkpoint,
  edit,
  failover,
  reboot,
  removeVdom,
  restoreVdom,
} from "@podgate/fortios-simulator/console";
import type { Device } from "@podgate/fortios-simulator/device";
import type { FaultKind } from "@podgate/fortios-simulator/fault";
import type { Dice } from "../dice.ts";
import { furnish } from "../estate.ts";
import type { SimulatedDevice, World } from "../world.ts";
import type { FaultClass } from "./fault.ts";

/** A device is tried again after at most 10 s; what came late is read again after another timeout (5 s). */
const RECOVERY_MS = 30_000;
/** Every target is read for what others changed each 30 s, give or take a fifth; then it is repaired. */
const DRIFT_MS = 50_000;
/** What was refused is tried again after 60 s, and after 120 s when that fell into the fault, too. */
const PARKED_MS = 200_000;
/** A deletion that was refused says that somebody uses the object: it is tried again after 600 s. */
const KEPT_MS = 700_000;
/**
 * A token that was refused is tried again after 90, 180 and 360 s, to stay out of the device's lockout; a successor whose
 * wall clock differs waits 360 s from when it takes the device.
 */
const LOCKOUT_MS = 1_000_000;

const READ_ONLY: AccProfile = { fwgrp: "custom", "fwgrp-permission": { address: "read" }, sysgrp: "none" };
const NONE: AccProfile = { fwgrp: "none", sysgrp: "none" };
const CHILDREN = /^pg\.sim\..*[a-z]/;

/** A fault of the device that strikes single requests. */
function armed(
  name: string,
  kinds: readonly FaultKind[],
  tailMs: number,
  fields: (dice: Dice) => object = () => ({}),
): FaultClass {
  return {
    name,
    lasts: [2000, 15_000],
    tailMs,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      const kind = dice.pick(kinds);
      const { faults } = site.device;
      const ids = Array.from({ length: dice.int(1, 4) }, () =>
        faults.add({ kind, methods: methodsOf(kind, dice), after: dice.int(0, 3), ...fields(dice) }),
      );
      const end = site.device.subscribe((entry) => {
        if (entry.faults.includes(kind)) struck();
      });
      return () => {
        end();
        for (const id of ids) faults.clear(id);
      };
    },
  };
}

/** The token in the pusher's file is not the device's. @param change makes it so; returns what the file holds afterwards */
function tokens(name: string, change: (site: SimulatedDevice) => string): FaultClass {
  return {
    name,
    lasts: [3000, 20_000],
    tailMs: LOCKOUT_MS,
    weight: 0.3,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      if (site.isTokenWrong) return undefined;
      site.isTokenWrong = true;
      const token = change(site);
      const end = site.device.subscribe(({ status }) => {
        if (status === 401) struck();
      });
      return () => {
        end();
        site.token = token;
        site.isTokenWrong = false;
        return (recovered) => {
          const heard = site.device.subscribe(({ status }) => {
            if (status !== 200) return;
            heard();
            world.timeline.after(RECOVERY_MS, recovered);
          });
        };
      };
    },
  };
}

const methodsOf = (kind: FaultKind, dice: Dice): readonly string[] =>
  kind === "table-full" || dice.chance(0.7) ? ["POST", "PUT", "DELETE"] : ["GET"];

/** What an administrator does to it; the oracle is told that it was not the product. */
function edited(
  name: string,
  change: (site: SimulatedDevice, vdom: string, world: World, dice: Dice) => boolean,
): FaultClass {
  return {
    name,
    lasts: [0, 0],
    tailMs: DRIFT_MS,
    begin: (world, dice, struck) => {
      const { device, vdom } = dice.pick(world.targets);
      const site = world.devices.find((each) => each.device === device);
      if (site === undefined || !change(site, vdom, world, dice)) return undefined;
      struck();
      world.edited(site);
      return () => undefined;
    },
  };
}

const children = (site: SimulatedDevice, vdom: string) =>
  site.device.groups(vdom).filter((group) => CHILDREN.test(group.name));
const objects = (site: SimulatedDevice, vdom: string) =>
  site.device.addresses(vdom).filter(({ name }) => name.startsWith("pg.sim.") && !name.endsWith("empty"));

/** It would bring back a policy that its administrator has taken away since. */
const isUsed = (site: SimulatedDevice, world: World): boolean =>
  world.targets.some(
    ({ device, vdom }) =>
      device === site.device &&
      device.configuration
        .vdom(vdom)
        ?.rows("firewall.policy")
        .some(({ name }) => name === "use"),
  );

/** Counts what is refused with 403. @returns ends it, and tells whether a deletion was among it */
function refusals(device: Device, struck: () => void): () => boolean {
  let isKept = false;
  const end = device.subscribe(({ status, path, method }) => {
    if (status !== 403 || !path.startsWith("cmdb/firewall")) return;
    struck();
    isKept ||= method === "DELETE";
  });
  return () => {
    end();
    return isKept;
  };
}

export const DEVICE_FAULTS: readonly FaultClass[] = [
  {
    name: "device-slow",
    lasts: [5000, 25_000],
    tailMs: RECOVERY_MS + 15_000,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      const usual = site.device.latency;
      const ms = dice.pick([1000, 4000, 12_000]);
      site.device.latency = { ...usual, write: ms, read: ms / 4 };
      const end = site.device.subscribe(() => struck());
      return () => {
        end();
        site.device.latency = usual;
      };
    },
  },
  {
    name: "device-away",
    lasts: [500, 25_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      if (site.isAway) return undefined;
      site.isAway = true;
      struck();
      return () => {
        site.isAway = false;
      };
    },
  },
  {
    name: "device-certificate",
    lasts: [500, 25_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      site.distrusted = struck;
      // The new authority is trusted.
      return () => {
        site.distrusted = undefined;
      };
    },
  },
  armed("device-reply-lost", ["reply-lost"], RECOVERY_MS),
  armed("device-reset", ["reset-before", "reset-after"], RECOVERY_MS),
  armed("device-status", ["status-before", "status-after"], RECOVERY_MS, (dice) => ({
    status: dice.pick([429, 502, 503]),
  })),
  {
    name: "device-not-found",
    lasts: [5000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const { device } = dice.pick(world.devices);
      const id = device.faults.add({ kind: "not-found", methods: ["GET"], times: 0, ms: 5000 });
      // What was made, and not acknowledged, is looked for.
      const lost = device.faults.add({ kind: "reset-after", methods: ["POST"], times: 4 });
      const end = device.subscribe((entry) => {
        if (entry.faults.includes("not-found") && entry.status === 404) struck();
      });
      return () => {
        end();
        device.faults.clear(id);
        device.faults.clear(lost);
      };
    },
  },
  armed("device-table-full", ["table-full"], PARKED_MS),
  // Somebody put another token into the pusher's file, and then the right one again;
  tokens("device-401", (site) => {
    const { token } = site;
    site.token = "not-the-token-any-more";
    return token;
  }),
  // or it was made anew on the device, and is in the file some time later.
  tokens("device-token-rotated", ({ device, token }) => {
    const [name, number = "0"] = token.split(".");
    const next = `${name ?? ""}.${String(Number(number) + 1)}`;
    for (const user of device.users) if (user.name === "api") device.setUser({ ...user, token: next });
    return next;
  }),
  {
    name: "device-vdom-gone",
    lasts: [5000, 40_000],
    tailMs: KEPT_MS,
    weight: 0.5,
    begin: (world, dice, struck) => {
      const target = world.targets.find(({ device, vdom }) => vdom !== device.settings.managementVdom);
      const site = world.devices.find(({ device }) => device === target?.device);
      if (target === undefined || site === undefined || isUsed(site, world)) return undefined;
      const { device, vdom } = target;
      const saved = checkpoint(device);
      if (saved.vdom(vdom) === undefined) return undefined;
      removeVdom(device, vdom, world.wall);
      world.edited(site);
      const end = refusals(device, struck);
      return () => {
        const isKept = end();
        // A reboot may have brought it back. As it was, or made anew by its administrator.
        if (device.configuration.vdom(vdom) === undefined) {
          if (dice.chance(0.5)) restoreVdom(device, saved, vdom, world.wall);
          else {
            addVdom(device, vdom, world.wall);
            furnish(world, target);
          }
          world.edited(site);
        }
        return (recovered) => {
          if (!isKept) world.timeline.after(PARKED_MS, recovered);
        };
      };
    },
  },
  {
    name: "device-forbids",
    lasts: [3000, 20_000],
    tailMs: KEPT_MS,
    weight: 0.3,
    begin: (world, dice, struck) => {
      const { device } = dice.pick(world.devices);
      device.setRights("api", dice.pick([READ_ONLY, NONE]));
      const end = refusals(device, struck);
      return () => {
        const isKept = end();
        device.setRights("api", ADDRESS_ACCESS);
        return (recovered) => {
          if (!isKept) world.timeline.after(PARKED_MS, recovered);
        };
      };
    },
  },
  {
    name: "device-failover",
    lasts: [0, 0],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      failover(dice.pick(world.devices).device);
      struck();
      return () => undefined;
    },
  },
  {
    name: "device-reboots",
    lasts: [5000, 40_000],
    tailMs: RECOVERY_MS + DRIFT_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.devices);
      // It would take away a VDOM that came back since.
      const isWhole = world.targets.every(
        ({ device, vdom }) => device !== site.device || device.configuration.vdom(vdom) !== undefined,
      );
      if (!isWhole || isUsed(site, world)) return undefined;
      const saved = checkpoint(site.device);
      // What was written since then was not saved.
      return () => {
        struck();
        reboot(site.device, saved, world.wall, dice.int(1000, 8000));
        world.edited(site);
      };
    },
  },
  {
    name: "admin-uses",
    lasts: [10_000, 60_000],
    tailMs: KEPT_MS,
    // A policy uses a group that users take away, or the product's child of it: it can't be deleted while it does.
    begin: (world, dice, struck) => {
      // What is denied goes only when a person has approved it, and that may take longer than this.
      const names = world.isGuarded ? ["hosts"] : ["extra", "hosts"];
      const found = world.targets.flatMap(({ device, vdom }) =>
        names
          .filter((each) => device.group(vdom, each) !== undefined)
          .flatMap((name) => {
            const groups = [name, ...world.clusters.map((cluster) => `pg.sim.${name}.${cluster.name}.0`)];
            const there = groups.filter((each) => device.group(vdom, each) !== undefined);
            return there.map((used) => ({ device, vdom, name, used }));
          }),
      );
      if (found.length === 0) return undefined;
      const { device, vdom, name, used } = dice.pick(found);
      const site = world.devices.find((each) => each.device === device);
      if (site === undefined) return undefined;
      for (const { api, cluster } of world.clusters) {
        const path = `/apis/podgate.dev/v1alpha1/clusteraddressgroups/${name}`;
        if (api.own("GET", path, "", 0).status === 200) cluster.deleteGroup("", name);
      }
      const body = { name: "use", srcaddr: [{ name: used }], dstaddr: [{ name: "all" }] };
      if (!done(site, vdom, world, "POST", "firewall/policy", body)) return undefined;
      const policies = device.configuration.vdom(vdom)?.rows("firewall.policy").entries() ?? [];
      const id = JSON.stringify(policies.at(-1)?.row["policyid"]);
      world.edited(site);
      const end = device.subscribe(({ method, error }) => {
        if (method === "DELETE" && error === -23) struck();
      });
      return () => {
        end();
        // A reboot may have taken it away.
        done(site, vdom, world, "DELETE", `firewall/policy/${id}`);
        world.edited(site);
        return (recovered) => {
          // With its whole VDOM it may come back.
          const isGone = (): boolean =>
            device.configuration.vdom(vdom) !== undefined && device.group(vdom, used) === undefined;
          const heard = device.subscribe(() => {
            if (!isGone()) return;
            heard();
            world.timeline.after(RECOVERY_MS, recovered);
          });
        };
      };
    },
  },
  edited("admin-widens", (site, vdom, world, dice) => {
    const found = objects(site, vdom);
    if (found.length === 0) return false;
    const { name, addresses } = dice.pick(found);
    const network = `${(addresses[0] ?? "").split(".").slice(0, 3).join(".")}.0`;
    world.widened(`${network}/24`);
    const subnet = `${network} 255.255.255.0`;
    return done(site, vdom, world, "PUT", `firewall/address/${name}`, { subnet });
  }),
  edited("admin-adds", (site, vdom, world, dice) => {
    const into = children(site, vdom);
    const taken = objects(site, vdom);
    if (into.length === 0 || taken.length === 0) return false;
    const child = dice.pick(into);
    const stranger = dice.pick(taken).name;
    if (child.members.includes(stranger)) return false;
    return done(site, vdom, world, "POST", `firewall/addrgrp/${encodeURIComponent(child.name)}/member`, {
      name: stranger,
    });
  }),
  edited("admin-removes", (site, vdom, world, dice) => {
    const from = children(site, vdom).filter(({ members }) => members.length > 1);
    if (from.length === 0) return false;
    const { name, members } = dice.pick(from);
    const path = `firewall/addrgrp/${encodeURIComponent(name)}/member/${encodeURIComponent(dice.pick(members))}`;
    return done(site, vdom, world, "DELETE", path);
  }),
  edited("admin-deletes-child", (site, vdom, world, dice) => {
    const found = children(site, vdom);
    if (found.length === 0) return false;
    const child = dice.pick(found);
    for (const group of site.device.groups(vdom))
      if (group.members.includes(child.name))
        done(
          site,
          vdom,
          world,
          "DELETE",
          `firewall/addrgrp/${encodeURIComponent(group.name)}/member/${encodeURIComponent(child.name)}`,
        );
    return done(site, vdom, world, "DELETE", `firewall/addrgrp/${encodeURIComponent(child.name)}`);
  }),
];

function done(
  site: SimulatedDevice,
  vdom: string,
  world: World,
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: Readonly<Record<string, unknown>>,
): boolean {
  // It may be gone.
  if (site.device.configuration.vdom(vdom) === undefined) return false;
  const change = { vdom, method, path, ...(body && { body }) };
  const { status } = edit(site.device, change, world.wall);
  world.history.note(
    "administrator",
    `${method} ${vdom} ${path} ${JSON.stringify(body ?? "")}: ${String(status)}`,
  );
  return status === 200;
}
