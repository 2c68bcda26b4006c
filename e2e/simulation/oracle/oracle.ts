import type { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { PodItem } from "@podgate/kubernetes-simulator/pod-item";
import { PODS } from "@podgate/kubernetes-simulator/resource";
import type { Device } from "@podgate/fortios-simulator/device";
import { belongingsOf, isAlive, nodesIn, type Belongings, type Ending, type Owner } from "./belongings.ts";
import { GuardJudge } from "./guard-judge.ts";
import { Health } from "./health.ts";
import { TargetJudge, type Claimed, type Findings, type JudgedTarget, type Wanted } from "./target-judge.ts";
import { Told } from "./told.ts";
import { VersionJudge, type Stored } from "./version-judge.ts";

export interface OracleOptions {
  /** Milliseconds of the world. */
  readonly now: () => number;
  readonly clusters: ReadonlyMap<string, ApiServer>;
  readonly targets: readonly JudgedTarget[];
  /** An address may stay so long after it was freed, in a world without faults: milliseconds. */
  readonly boundMs: number;
  readonly findings: Findings;
}

/** Resources from which no address comes. */
const IRRELEVANT = /lease|event/;

/**
 * Judges what the firewalls hold by what the API servers store. Knows nothing of how the one becomes the other.
 *
 * On the way: no group holds an address longer than the bound after it was freed, or one that never belonged there; no
 * address that belongs is taken away; nothing of anybody else's is touched. At rest: every group holds exactly what
 * belongs there, and nothing is left over.
 */
export class Oracle {
  readonly health: Health;
  readonly judges: readonly TargetJudge[];
  readonly versions: VersionJudge;
  readonly #clusters: ReadonlyMap<string, ApiServer>;
  readonly #guards = new Map<string, GuardJudge>();
  readonly #retired = new Set<string>();
  readonly #replaced = new Set<string>();
  /** Clusters whose lists lack what is there, and the nodes that have been there since they do. */
  readonly #lacking = new Map<string, Set<string>>();
  readonly #told = new Told();
  readonly #belongings = new Map<string, Belongings>();
  readonly #now: () => number;
  /** Pods by uid, when they were seen to be deleted. */
  readonly #endings = new Map<
    string,
    Pick<Ending, "yielded"> & { readonly at: number; readonly healthy: number }
  >();

  constructor({ now, clusters, targets, boundMs, findings }: OracleOptions) {
    this.#clusters = clusters;
    this.#now = now;
    this.health = new Health(now);
    this.versions = new VersionJudge(now, (what) => findings.violation(what));
    this.judges = targets.map((target) => {
      const livesIn = (address: string, owners: readonly Owner[], toldOf?: string): string | undefined =>
        target.clusters.find((name) => {
          const api = clusters.get(name);
          const isDecided = this.#retired.has(name) || this.#replaced.has(name);
          const some =
            toldOf === undefined
              ? owners
              : owners.filter(({ uid }) => this.#told.has(name, toldOf, address, uid));
          return api !== undefined && !isDecided && isAlive(api, some, address, toldOf !== undefined);
        });
      const guard = new GuardJudge(now, livesIn, (what) => findings.violation(`${target.name}: ${what}`));
      this.#guards.set(target.name, guard);
      return new TargetJudge(target, this.health, now, boundMs, findings, guard);
    });
    for (const [cluster, api] of clusters) {
      api.store.subscribe(({ resource }) => {
        if (!IRRELEVANT.test(resource)) this.#look(cluster);
      });
      this.#look(cluster);
    }
  }

  /** Time has passed. */
  tick(): void {
    // Only of what is being deleted does it depend on the time whether it counts.
    for (const [cluster, api] of this.#clusters)
      if (api.store.list(PODS).some((item) => item instanceof PodItem && item.pod.deletion !== undefined))
        this.#look(cluster);
    for (const judge of this.judges) judge.inspect("time");
  }

  /** The product wrote to a device, or somebody else did. */
  wrote(device: Device, by: "product" | "other"): void {
    for (const judge of this.judges) if (judge.target.device === device) judge.inspect(by);
  }

  /** An administrator made one of the product's address objects stand for this instead. */
  widened(content: string): void {
    for (const judge of this.judges) judge.widened(content);
  }

  /** Edits that decide for many are guarded in this world, @param denied and those of this group without exception. */
  guard(denied: string): void {
    for (const guard of this.#guards.values()) {
      guard.isOn = true;
      guard.denied = denied;
    }
  }

  /** A cluster that is not heard for so long gives up its members of the group: milliseconds. */
  lapses(group: string, afterMs: number): void {
    for (const judge of this.judges) judge.lapses(group, afterMs);
  }

  /** The bus has stored a message. */
  stored(stream: string, message: Stored): void {
    this.versions.stored(stream, message);
    this.#told.stored(message);
  }

  /** Another content than before is in a stream's place: who put what where, and why, is not on record any more. */
  rewound(stream: string): void {
    this.versions.rewound(stream);
    for (const judge of this.judges) judge.forgetEntries();
  }

  /** The lists of the cluster lack what is there, or are whole again. */
  lack(cluster: string, isLacking: boolean): void {
    const api = this.#clusters.get(cluster);
    if (isLacking && api !== undefined) this.#lacking.set(cluster, nodesIn(api));
    else this.#lacking.delete(cluster);
    this.#look(cluster);
  }

  /** A person was shown what goes when another cluster takes this one's place, and wants it so: it is no edit. */
  replace(cluster: string, isReplaced: boolean): void {
    if (isReplaced) this.#replaced.add(cluster);
    else this.#replaced.delete(cluster);
  }

  /** A person has taken the cluster out of use: nothing of it belongs anywhere, until it is put back. */
  retire(cluster: string, isRetired: boolean): void {
    if (isRetired) this.#retired.add(cluster);
    else this.#retired.delete(cluster);
    this.#look(cluster);
  }

  /** An administrator's group holds an address of his own. */
  own(target: string, group: string, address: string): void {
    this.judges.find((judge) => judge.target.name === target)?.own(group, address);
  }

  /** A person approved that an address leaves a group (as the product names it: `shop/front`). */
  approved(target: string, group: string, address: string): void {
    this.#guards.get(target)?.approve(group.replace("/", "."), address);
  }

  /** What is otherwise than it should be when all is at rest; empty = nothing. */
  differences(): string[] {
    return this.judges.flatMap((judge) => judge.differences());
  }

  #look(cluster: string): void {
    const api = this.#clusters.get(cluster);
    if (api === undefined) return;
    const { healthy } = this.health;
    const at = this.#now();
    for (const item of api.store.list(PODS)) {
      if (!(item instanceof PodItem) || item.pod.deletion === undefined) continue;
      if (!this.#endings.has(item.pod.uid))
        this.#endings.set(item.pod.uid, { at, healthy, yielded: new Set() });
    }
    const endingOf = (uid: string): Ending => {
      const ending = this.#endings.get(uid);
      return {
        ms: at - (ending?.at ?? at),
        healthyMs: healthy - (ending?.healthy ?? healthy),
        yielded: ending?.yielded ?? new Set(),
      };
    };
    const isRetired = this.#retired.has(cluster);
    const lacking = this.#lacking.get(cluster);
    const nodes = lacking === undefined ? undefined : nodesIn(api);
    for (const name of lacking ?? []) if (nodes?.has(name) === false) lacking?.delete(name);
    this.#belongings.set(cluster, isRetired ? new Map() : belongingsOf(cluster, api, endingOf, lacking));
    for (const judge of this.judges) {
      if (judge.target.clusters.includes(cluster)) judge.want(this.#union(judge.target.clusters));
    }
  }

  #union(clusters: readonly string[]): Wanted {
    const wanted = new Map<string, Map<string, Claimed>>();
    for (const cluster of clusters) {
      for (const [group, members] of this.#belongings.get(cluster) ?? []) {
        const all = wanted.get(group) ?? new Map<string, Claimed>();
        wanted.set(group, all);
        for (const [address, { must, owners, basis }] of members) {
          const other = all.get(address);
          const united = [...(other?.owners ?? []), ...owners];
          const claims = [...(other?.claims ?? []), ...(must ? [`${cluster} ${basis}`] : [])];
          all.set(address, { must: claims.length > 0, owners: united, basis, claims });
        }
      }
    }
    return wanted;
  }
}
