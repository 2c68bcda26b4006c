import type { SimulatedCluster } from "../cluster.ts";
import type { Dice } from "../dice.ts";
import type { World } from "../world.ts";
import type { FaultClass } from "./fault.ts";

/** What a watcher does after a start or a change of its phase, and a pusher after that: as after a takeover. */
const RECOVERY_MS = 40_000;
/** The longest that a person may need until what he began is brought to its end, in a world that has come right. */
const DEED_MS = 400_000;
/** He tries again after this long. */
const AGAIN_MS = 5000;
/** A cluster counts as silent after 10 s; the commands want to be sure of it. */
const SILENT_MS = 10_000;
/** Until its members have left the firewalls. */
const LEAVING_MS = 10_000;

interface Deed {
  readonly world: World;
  readonly dice: Dice;
  readonly site: SimulatedCluster;
  readonly struck: () => void;
  /** The fault's time is over. */
  readonly ended: Promise<void>;
}

/**
 * What a person does with one whole cluster; it is over when he has put it back to use.
 * @param isApt whether there is something to it
 */
function deed(
  name: string,
  lasts: readonly [number, number],
  run: (deed: Deed) => Promise<void>,
  isApt: (world: World, site: SimulatedCluster) => boolean = () => true,
): FaultClass {
  return {
    name,
    lasts,
    tailMs: DEED_MS,
    weight: 0.5,
    begin: (world, dice, struck) => {
      const site = dice.pick(world.clusters);
      if (site.isBusy || !isApt(world, site)) return undefined;
      site.isBusy = true;
      const over = Promise.withResolvers<void>();
      const doing = run({ world, dice, site, struck, ended: over.promise })
        .catch((error: unknown) => world.failed(`${name}: ${String(error)}`))
        .finally(() => {
          site.isBusy = false;
        });
      return () => {
        over.resolve();
        return (recovered) => void doing.then(() => world.timeline.after(RECOVERY_MS, recovered));
      };
    },
  };
}

const pause = (world: World, ms: number): Promise<void> =>
  new Promise((resolve) => void world.timeline.after(ms, resolve));

/** He tries it again and again, and once more when the storm is over. */
async function done({ world, struck, ended }: Deed, attempt: () => Promise<boolean>): Promise<void> {
  let isLast = false;
  void ended.then(() => (isLast = true));
  for (;;) {
    const isOver = isLast;
    if (await attempt()) return struck();
    if (isOver) return;
    await Promise.race([ended, pause(world, AGAIN_MS)]);
  }
}

/** Until its watcher says so: in a storm that may take several tries. */
async function resumed({ world, site }: Deed): Promise<void> {
  while ((await world.lifeCycle.phase("resume", site)).code !== 0) await pause(world, AGAIN_MS);
}

/** Nobody watches the cluster any more, as if it did not exist. */
async function gone({ world, site }: Deed, meanwhile: () => Promise<void>): Promise<void> {
  const watchers = world.watchersOf(site.name);
  for (const watcher of watchers) watcher.retire();
  await meanwhile();
  for (const watcher of watchers) watcher.comeBack();
}

export const LIFE_CYCLE_FAULTS: readonly FaultClass[] = [
  // Its watchers are away for a while: that is silence, and not absence.
  deed("cluster-silent", [15_000, 50_000], async (act) => {
    await gone(act, () => act.ended);
    act.struck();
  }),
  // The same for longer than a route keeps the members of a silent cluster.
  deed(
    "cluster-lapses",
    [80_000, 110_000],
    async (act) => {
      const { world, site, ended } = act;
      await gone(act, async () => {
        await Promise.all([ended, pause(world, world.lapsing.afterMs + SILENT_MS + LEAVING_MS)]);
      });
      if (world.heldOf(site.name, world.lapsing.group) === 0) act.struck();
    },
    (world, site) => world.heldOf(site.name, world.lapsing.group) > 0,
  ),
  deed("cluster-drained", [20_000, 50_000], async (act) => {
    const { world, site, ended } = act;
    world.retired(site.name, true);
    world.replaced(site.name, true);
    await done(act, async () => {
      const { edits } = world;
      const { code } = await world.lifeCycle.phase("drain", site);
      const held = world.heldOf(site.name);
      if (code === 0 && held > 0 && edits === world.edits)
        world.failed(
          `${site.name} is said to be drained, and firewalls hold ${String(held)} addresses of it`,
        );
      return code === 0;
    });
    await ended;
    world.retired(site.name, false);
    await resumed(act);
    // Until then a firewall that was away may still be told of it.
    world.replaced(site.name, false);
  }),
  deed("cluster-maintenance", [10_000, 40_000], async (act) => {
    const { world, site, struck, ended } = act;
    const { code } = await world.lifeCycle.phase("maintenance", site);
    if (code === 0) {
      struck();
      world.frozen(site.name, true);
    }
    await ended;
    world.frozen(site.name, false);
    await resumed(act);
  }),
  deed("cluster-forgotten", [40_000, 90_000], async (act) => {
    const { world, site, ended } = act;
    await gone(act, async () => {
      await pause(world, SILENT_MS);
      await done(act, async () => {
        const { hash } = await world.lifeCycle.forget(site.name);
        if (hash === undefined) return false;
        world.retired(site.name, true);
        const { edits } = world;
        const { code } = await world.lifeCycle.forget(site.name, hash);
        const left = world.childrenOf(site.name).length;
        if (code === 0 && left > 0 && edits === world.edits)
          world.failed(
            `${site.name} is said to be forgotten, and firewalls hold ${String(left)} groups of it`,
          );
        return code === 0;
      });
      await ended;
      world.retired(site.name, false);
    });
  }),
  // It is built anew: another uid, some of its pods, and the same name.
  deed("cluster-adopted", [45_000, 70_000], async (act) => {
    const { world, site, dice, struck } = act;
    site.isNew = true;
    while (site.isLacking) await pause(world, AGAIN_MS);
    await gone(act, async () => {
      site.rebuild(dice);
      await pause(world, SILENT_MS);
    });
    for (;;) {
      await pause(world, AGAIN_MS);
      const { hash, words } = await world.lifeCycle.adopt(site.name);
      // A pusher that knew nobody under the name took it for the one that it is.
      if (words.includes(`of the known one (uid ${site.cluster.uid})`)) break;
      if (hash === undefined) continue;
      world.replaced(site.name, true);
      if ((await world.lifeCycle.adopt(site.name, hash)).code !== 0) continue;
      struck();
      break;
    }
    site.isNew = false;
    world.timeline.after(RECOVERY_MS, () => world.replaced(site.name, false));
  }),
];
