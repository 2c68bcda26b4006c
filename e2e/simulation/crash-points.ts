import { edit, failover } from "@podgate/fortios-simulator/console";
import { seededRandom } from "@podgate/shared/runtime/random";
import { Simulation } from "./simulation.ts";
import { dieAt, listSites, type Site } from "./sites.ts";

export interface CrashPoint {
  readonly site: Site;
  /** Which of the site's calls. */
  readonly nth: number;
  readonly fate: "die-before" | "die-after";
}

export interface CrashVerdict extends CrashPoint {
  /** The process died there. */
  readonly died: boolean;
  readonly violations: readonly string[];
}

const AGAIN_MS = 1000;
/** What the scenario does is recovered from within so long, and a process that died besides. */
const RECOVERY_MS = 60_000;

/** Every site that the scenario reaches, and how often. */
export async function sitesOf(seed: number): Promise<Map<Site, number>> {
  const simulation = new Simulation({ seed, clusters: 1, isSmall: true });
  const seen = new Map<Site, number>();
  listSites(simulation.world.replicas, seen);
  await scenario(simulation);
  if (!simulation.fine) throw new Error(`without a crash: ${simulation.violations.join("; ")}`);
  return seen;
}

/** The same scenario; the process dies at the point and is started again, and everything must come right. */
export async function crashAt(seed: number, point: CrashPoint): Promise<CrashVerdict> {
  const simulation = new Simulation({ seed, clusters: 1, isSmall: true });
  const { world, timeline, history } = simulation;
  let died = false;
  dieAt(world.replicas, point, (replica) => {
    died = true;
    history.note(replica.name, `${point.fate} ${point.site}`);
    timeline.after(AGAIN_MS, () => replica.start());
  });
  await scenario(simulation);
  return { ...point, died, violations: simulation.violations };
}

/** One point for each site, or both; which of its calls is drawn from the seed. */
export function pointsOf(
  sites: ReadonlyMap<Site, number>,
  seed: number,
  fates: "both" | "one",
): CrashPoint[] {
  const random = seededRandom(seed);
  return [...sites].flatMap(([site, count]) => {
    const nth = 1 + Math.floor(random() * count);
    const first = random() < 0.5 ? ("die-before" as const) : ("die-after" as const);
    const second = first === "die-before" ? ("die-after" as const) : ("die-before" as const);
    return (fates === "both" ? [first, second] : [first]).map((fate) => ({ site, nth, fate }));
  });
}

/** A short life in which everything happens once. */
async function scenario(simulation: Simulation): Promise<void> {
  const { world, timeline, oracle } = simulation;
  const { bus, devices, tamper, watchers, pushers } = world;
  const [{ api, cluster }, site] = [world.clusters[0], devices[0]] as [
    (typeof world.clusters)[number],
    (typeof devices)[number],
  ];
  const acts = async (count: number): Promise<void> => {
    for (let act = 0; act < count; act += 1) await simulation.act(50, 400);
  };
  simulation.start();
  const over = oracle.health.fall();
  await timeline.advance(4000);
  await acts(8);
  cluster.applyGroup("", "brief", { podSelector: { matchLabels: { tier: "back" } } });
  await acts(3);
  cluster.deleteGroup("", "brief");
  await acts(3);
  // The bus: a lost reply, a lost connection, a lost stream.
  let left = 1;
  const losing = tamper.add({ busReply: (call) => call === "publish" && left-- > 0 });
  await acts(4);
  losing();
  bus.disconnectClients();
  await acts(3);
  bus.deleteStream("PODGATE_c1");
  world.rewound("PODGATE_c1");
  await acts(3);
  // The API server: nothing can be resumed, and pages instead of streams.
  api.streamsLists = false;
  api.compact();
  api.cutWatches();
  await acts(4);
  // The device: a reply lost, a connection reset, another unit, an administrator.
  site.device.faults.add({ kind: "reply-lost", methods: ["PUT"] });
  site.device.faults.add({ kind: "reset-after", methods: ["POST"] });
  await acts(6);
  failover(site.device);
  await acts(2);
  const child = site.device.groups("root").find(({ name }) => name.startsWith("pg.sim.web"));
  if (child !== undefined) {
    const path = `firewall/addrgrp/web/member/${encodeURIComponent(child.name)}`;
    edit(site.device, { vdom: "root", method: "DELETE", path }, world.wall);
    world.edited(site);
  }
  await acts(2);
  // An orderly end, and the drift read after it.
  for (const replica of [watchers[0], pushers[0]]) replica?.stop();
  await timeline.advance(6000);
  for (const replica of [watchers[0], pushers[0]]) replica?.start();
  await acts(4);
  await timeline.advance(30_000);
  over(RECOVERY_MS);
  await simulation.recover();
  await simulation.rest();
}
