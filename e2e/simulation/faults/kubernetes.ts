import { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import type { FaultClass } from "./fault.ts";

/** A list or watch is tried again after at most 5 s, and the pusher believes what vanished 2 s later. */
const RECOVERY_MS = 20_000;
/** No byte for 45 s: only then is a silent watch given up. */
const SILENCE_MS = 45_000;
/** A Lease that could not be renewed runs out (10 s), another replica claims, lists, and is believed. */
const LEASE_MS = 30_000;
/** So much of a list is far beyond what could be taken for pods that have ended: 20 %. */
const MISSING = 0.75;
const RESOURCES = ["pods", "nodes", "namespaces", "clusteraddressgroups", "addressgroups"] as const;

export const KUBERNETES_FAULTS: readonly FaultClass[] = [
  {
    name: "kubernetes-restarts",
    lasts: [200, 15_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      if (site.isAway) return undefined;
      site.isAway = true;
      if (site.api.watches.length > 0) struck();
      site.api.restart();
      return () => {
        site.isAway = false;
      };
    },
  },
  {
    name: "kubernetes-compacted",
    lasts: [1000, 8000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      const { version } = site.api.store;
      const resource = dice.chance(0.5) ? undefined : dice.pick(RESOURCES);
      site.api.cutWatches(resource);
      // What changes before the watch is back is known to nobody.
      return () => {
        if (site.api.store.version > version) struck();
        site.api.compact();
        site.api.cutWatches(resource);
      };
    },
  },
  {
    name: "kubernetes-410",
    lasts: [0, 0],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const { api } = dice.pick(world.clusters);
      if (api.watches.length === 0) return undefined;
      struck();
      api.expireWatches(dice.chance(0.5) ? undefined : dice.pick(RESOURCES));
      return () => undefined;
    },
  },
  {
    name: "kubernetes-cut",
    lasts: [0, 0],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const { api } = dice.pick(world.clusters);
      if (api.watches.length === 0) return undefined;
      struck();
      api.cutWatches(dice.chance(0.5) ? undefined : dice.pick(RESOURCES));
      return () => undefined;
    },
  },
  {
    name: "kubernetes-silent",
    lasts: [0, 0],
    tailMs: SILENCE_MS + RECOVERY_MS,
    begin: (world, dice, struck) => {
      const { api } = dice.pick(world.clusters);
      const resource = dice.pick(RESOURCES);
      const watches = api.watches.filter((watch) => watch.resource.plural === resource);
      if (watches.length === 0) return undefined;
      const end = api.store.subscribe((change) => {
        if (!change.resource.startsWith(resource)) return;
        struck();
        end();
      });
      api.silenceWatches(resource);
      return () => undefined;
    },
  },
  {
    name: "kubernetes-lagging",
    lasts: [4000, 25_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      if (site.lagging !== undefined) return undefined;
      const backup = site.api.store.backup();
      let lagging: ApiServer | undefined;
      // It falls behind first, and answers then.
      const cancel = world.timeline.after(2000, () => {
        lagging = new ApiServer({ bookmarkEvery: 30_000, token: site.api.access.token });
        lagging.restore(backup);
        site.lagging = lagging;
        site.api.cutWatches();
      });
      const end = world.tamper.add({
        kubernetes: (name, server) => {
          if (name === site.name && server === lagging && site.api.store.version > backup.version) struck();
        },
      });
      return () => {
        cancel();
        end();
        lagging?.cutWatches();
        site.lagging = undefined;
      };
    },
  },
  {
    name: "kubernetes-forbids",
    lasts: [3000, 25_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      const resource = dice.pick([...RESOURCES, "leases"] as const);
      site.api.access.denials = [{ resource }];
      site.api.cutWatches(resource);
      const end = world.tamper.add({
        kubernetes: (name, _server, status) => {
          if (name === site.name && status === 403) struck();
        },
      });
      return () => {
        end();
        site.api.access.denials = [];
      };
    },
  },
  {
    name: "kubernetes-token",
    lasts: [500, 15_000],
    tailMs: LEASE_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      const { api, lagging, token } = site;
      if (token !== api.access.token) return undefined;
      // The old one is refused from now on; watches that are open go on. The file is written anew some time later.
      const [name, number = "0"] = token.split(".");
      const next = `${name ?? ""}.${String(Number(number) + 1)}`;
      for (const server of [api, lagging]) if (server !== undefined) server.access.token = next;
      if (dice.chance(0.5)) api.cutWatches();
      const end = world.tamper.add({
        kubernetes: (cluster, _server, status) => {
          if (cluster === site.name && status === 401) struck();
        },
      });
      return () => {
        end();
        site.token = next;
      };
    },
  },
  {
    name: "kubernetes-short-lists",
    lasts: [3000, 12_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      const { api } = site;
      // Nobody would adopt a cluster that shows so little of itself.
      if (site.isNew) return undefined;
      site.isLacking = true;
      world.lacking(site.name, true);
      // Of nodes there are too few for some of them to be missed: all are.
      const [resource, share] = dice.pick([
        ["pods", MISSING],
        ["pods", 1],
        ["nodes", 1],
        ["namespaces", 1],
      ] as const);
      const missing = new Map<string, boolean>();
      const isMissing = (key: string): boolean => {
        const known = missing.get(key) ?? dice.chance(share);
        missing.set(key, known);
        return known;
      };
      api.hides = ({ plural }, { key }) => {
        if (plural !== resource || !isMissing(key)) return false;
        struck();
        return true;
      };
      const relist = (): void => {
        // Also who has heard of all that happened lists again.
        api.store.advance();
        api.compact();
        api.cutWatches(resource);
      };
      relist();
      return () => {
        api.hides = () => false;
        site.isLacking = false;
        world.lacking(site.name, false);
        relist();
      };
    },
  },
  {
    name: "kubernetes-slow",
    lasts: [4000, 20_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const usual = world.delays.kubernetes;
      const most = dice.pick([300, 4000]);
      world.delays.kubernetes = () => {
        struck();
        return dice.between(most / 3, most);
      };
      return () => {
        world.delays.kubernetes = usual;
      };
    },
  },
  {
    name: "kubernetes-errors",
    lasts: [3000, 15_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      const status = dice.pick([429, 500, 503]);
      const clear = site.api.faults.add({ kind: "status", status, times: dice.int(1, 12) });
      site.api.cutWatches();
      const end = world.tamper.add({
        kubernetes: (name, _server, answered) => {
          if (name === site.name && answered === status) struck();
        },
      });
      return () => {
        end();
        clear();
      };
    },
  },
  {
    name: "kubernetes-truncates",
    lasts: [2000, 10_000],
    tailMs: RECOVERY_MS,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      site.api.compact();
      site.api.cutWatches();
      // Streamed lists are watches: their connection is lost in the middle.
      const end = world.tamper.add({
        kubernetesLine: (name) => {
          if (name !== site.name || !dice.chance(0.03)) return false;
          struck();
          return true;
        },
      });
      return end;
    },
  },
];
