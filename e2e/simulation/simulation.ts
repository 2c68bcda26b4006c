import { seededRandom } from "@podgate/shared/runtime/random";
import { Dice } from "./dice.ts";
import { buildEstate } from "./estate.ts";
import { History } from "./history.ts";
import { Oracle } from "./oracle/oracle.ts";
import { Timeline } from "./timeline.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly clusters: number;
  readonly show?: (line: string) => void;
  /** One device with one VDOM instead of two with three. */
  readonly isSmall?: boolean;
  /** Edits that decide for many pods are held for a person's word, as by default; false = they are not. */
  readonly isGuarded?: boolean;
}

/**
 * An address that was freed leaves within so long in a world without faults: milliseconds. Seen removals take two round
 * trips; what moved between two resources (a node that goes, a namespace that is relabeled) or only vanished waits for
 * the next state message (2 s); a device with two targets and a budget of calls does the rest.
 */
const BOUND_MS = 5000;
const TICK_MS = 1000;
/** From nothing to all groups made. */
const START_MS = 30_000;
/** At rest within so long once everything has recovered and nothing happens any more. */
const REST_MS = 20_000;
/** What was approved is done within so long, and so often a person looks whether there is more. */
const DECIDED_MS = 10_000;
const DECISIONS = 5;
/** Addresses that several clusters give out. */
const SHARED = ["172.16.0.1", "172.16.0.2", "172.16.0.3"];

/** A world, what happens in its clusters, and its judge. */
export class Simulation {
  readonly timeline = new Timeline();
  readonly dice: Dice;
  readonly history: History;
  readonly world: World;
  readonly oracle: Oracle;
  readonly violations: string[] = [];
  /** How long each address stayed in a group after it was freed: milliseconds. */
  readonly exposures: number[] = [];
  readonly #workloads: readonly Workload[];
  /** Things that happened in clusters. */
  steps = 0;

  constructor({ seed, clusters, show, isSmall = false, isGuarded = false }: SimulationOptions) {
    const { timeline } = this;
    this.dice = new Dice(seededRandom(seed));
    this.history = new History(() => timeline.now, show);
    const violation = (what: string): void => this.#violate(what);
    this.world = new World({
      clusters,
      isSmall,
      isGuarded,
      timeline,
      dice: this.dice,
      history: this.history,
      onFailure: violation,
    });
    const owned: (readonly [target: string, group: string, address: string])[] = [];
    buildEstate(this.world, (...own) => owned.push(own));
    this.#workloads = this.world.clusters.map(
      (site, at) => new Workload(site, at + 1, this.dice, timeline, SHARED),
    );
    this.oracle = new Oracle({
      now: () => timeline.now,
      clusters: new Map(this.world.clusters.map(({ name, api }) => [name, api])),
      targets: this.world.targets,
      boundMs: BOUND_MS,
      findings: { violation, exposure: (ms) => this.exposures.push(ms) },
    });
    for (const own of owned) this.oracle.own(...own);
    for (const { device } of this.world.devices)
      device.subscribe(({ changed }) => {
        if (changed) this.oracle.wrote(device, "product");
      });
    const { lapsing, denied } = this.world;
    this.oracle.lapses(lapsing.group.replace("/", "."), lapsing.afterMs);
    if (isGuarded) this.oracle.guard(denied);
    this.world.operator.onApproved = (target, group, address) => this.oracle.approved(target, group, address);
    this.world.lacking = (cluster, isLacking) => this.oracle.lack(cluster, isLacking);
    this.world.retired = (cluster, isRetired) => this.oracle.retire(cluster, isRetired);
    this.world.replaced = (cluster, isReplaced) => this.oracle.replace(cluster, isReplaced);
    this.world.frozen = (cluster, isFrozen) => this.oracle.versions.freeze(cluster, isFrozen);
    this.world.changedByOther = ({ device }) => this.oracle.wrote(device, "other");
    this.world.stored = (stream, message) => this.oracle.stored(stream, message);
    this.world.rewound = (stream) => this.oracle.rewound(stream);
    this.world.widened = (content) => this.oracle.widened(content);
  }

  /** Nothing was wrong so far. */
  get fine(): boolean {
    return this.violations.length === 0;
  }

  start(): void {
    const begun = this.oracle.health.fall();
    const tick = (): void => {
      this.oracle.tick();
      this.timeline.after(TICK_MS, tick);
    };
    tick();
    this.world.start();
    begun(START_MS);
  }

  /** After some time one thing happens in one of the clusters. @param edits see `Workload.act` */
  async act(fromMs: number, toMs: number, edits = true): Promise<void> {
    await this.timeline.advance(this.dice.between(fromMs, toMs));
    const at = this.dice.int(0, this.#workloads.length - 1);
    this.history.note(this.world.clusters[at]?.name ?? "", this.#workloads[at]?.act(edits) ?? "");
    this.steps += 1;
  }

  /** Until everything has recovered from what went wrong; what a person must decide is decided. */
  async recover(): Promise<void> {
    while (this.oracle.health.ill && this.fine) await this.timeline.advance(TICK_MS);
    const decided = this.oracle.health.fall();
    for (let round = 0; round < DECISIONS && (await this.world.operator.approve()) !== 0; round += 1)
      await this.timeline.advance(DECIDED_MS);
    decided(0);
    while (this.oracle.health.ill && this.fine) await this.timeline.advance(TICK_MS);
  }

  /** Nothing happens any more: everything must come to be exactly as it should. */
  async rest(): Promise<void> {
    while (this.fine && this.#workloads.some(({ pending }) => pending > 0))
      await this.timeline.advance(TICK_MS);
    for (let waited = 0; this.fine; waited += TICK_MS) {
      const differences = this.oracle.differences();
      if (differences.length === 0) return;
      if (waited >= REST_MS) for (const difference of differences) this.#violate(`at rest: ${difference}`);
      await this.timeline.advance(TICK_MS);
    }
  }

  #violate(what: string): void {
    this.violations.push(`${(this.timeline.now / 1000).toFixed(3)} s: ${what}`);
    this.history.note("oracle", `VIOLATION: ${what}`);
  }
}
