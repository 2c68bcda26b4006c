import type { Device } from "@podgate/fortios-simulator/device";
import type { Belonging, Owner } from "./belongings.ts";
import { Foreign, isOurs } from "./foreign.ts";
import type { GuardJudge } from "./guard-judge.ts";
import type { Health } from "./health.ts";

/** One VDOM of a device, and which clusters' groups go there. */
export interface JudgedTarget {
  readonly name: string;
  readonly device: Device;
  readonly vdom: string;
  /** Their groups, under their own names. */
  readonly clusters: readonly string[];
}

export interface Findings {
  violation(what: string): void;
  /** An address left a group so many milliseconds after it was freed. */
  exposure(ms: number): void;
}

/** An address of a group, of all clusters whose groups go there. */
export interface Claimed extends Belonging {
  /** Clusters, each with its definition of the group, because of which it must be a member. */
  readonly claims: readonly string[];
}

/** Group → address → how it belongs there. */
export type Wanted = ReadonlyMap<string, ReadonlyMap<string, Claimed>>;

/** `time`: nobody wrote, time has passed. */
export type Writer = "product" | "other" | "time";

/** One address and one group. */
interface Standing {
  may: boolean;
  /** Clusters because of which it must be a member, each since when without a break: healthy milliseconds. */
  readonly claims: Map<string, number>;
  /** When it ceased to belong. */
  freed: { healthy: number; at: number };
  /** Pods because of which it belongs, or did last. */
  owners: readonly Owner[];
  /** Those because of which the product put it where it is. */
  entered: readonly Owner[];
  /** Somebody else put it where it is now: taking it out again cuts nobody off. */
  isPutIn: boolean;
  /**
   * When somebody else last put it in, or wrote to the device while several clusters claimed it: it may be in a child where
   * it does not belong, or he may have taken it out of one cluster's child, unseen as long as another's holds it, and the
   * product has the bound to put that right.
   */
  disturbed: number;
}

interface Group {
  readonly standings: Map<string, Standing>;
  /** Addresses on the device at the last look. */
  held: ReadonlySet<string>;
  /** Addresses that an administrator put in himself. */
  readonly own: Set<string>;
}

/** Judges one target: what its groups hold, against what belongs there, at each write and each second. */
export class TargetJudge {
  readonly target: JudgedTarget;
  readonly #health: Health;
  readonly #now: () => number;
  readonly #boundMs: number;
  readonly #findings: Findings;
  readonly #foreign: Foreign;
  readonly #guard: GuardJudge;
  /** Those that users have defined. */
  readonly #groups = new Map<string, Group>();
  readonly #widened = new Set<string>();
  /** Groups whose members go when their cluster is not heard for so long: milliseconds. */
  readonly #lapsing = new Map<string, number>();
  #wanted: Wanted = new Map();

  constructor(
    target: JudgedTarget,
    health: Health,
    now: () => number,
    boundMs: number,
    findings: Findings,
    guard: GuardJudge,
  ) {
    this.target = target;
    this.#health = health;
    this.#now = now;
    this.#boundMs = boundMs;
    this.#findings = findings;
    this.#guard = guard;
    this.#foreign = new Foreign(target.device, target.vdom);
  }

  /** What belongs there has changed. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    const { healthy } = this.#health;
    const at = this.#now();
    for (const group of wanted.keys()) this.#group(group);
    for (const [name, { standings }] of this.#groups) {
      const members = wanted.get(name);
      for (const [address, { claims, owners }] of members ?? []) {
        let standing = standings.get(address);
        if (standing === undefined) standings.set(address, (standing = unclaimed(healthy, at)));
        standing.owners = owners;
        standing.may = true;
        for (const cluster of claims)
          if (!standing.claims.has(cluster)) standing.claims.set(cluster, healthy);
        for (const cluster of standing.claims.keys())
          if (!claims.includes(cluster)) standing.claims.delete(cluster);
      }
      for (const [address, standing] of standings) {
        if (members?.has(address) === true) continue;
        if (standing.may) standing.freed = { healthy, at };
        standing.may = false;
        standing.claims.clear();
      }
    }
  }

  inspect(by: Writer): void {
    for (const [name, group] of this.#groups) this.#inspectGroup(name, group, by);
    if (by === "other") this.#foreign.accept();
    if (by !== "product") return;
    for (const change of this.#foreign.changes((name) => this.#groups.has(name))) {
      this.#findings.violation(`${this.target.name}: what is not the product's was touched: ${change}`);
      this.#foreign.accept();
    }
  }

  /** An administrator's group holds an address of his own. */
  own(group: string, address: string): void {
    this.#group(group).own.add(address);
  }

  /** An administrator made one of the product's address objects stand for this instead. */
  widened(content: string): void {
    this.#widened.add(content);
  }

  /** Nothing on record tells any more because of which pod an address is where it is. */
  forgetEntries(): void {
    for (const { standings } of this.#groups.values())
      for (const standing of standings.values()) standing.entered = [];
  }

  /** See `Oracle.lapses`. */
  lapses(group: string, afterMs: number): void {
    this.#lapsing.set(group, afterMs);
  }

  /** What is otherwise than it should be when all is at rest; empty = nothing. */
  differences(): string[] {
    const { name } = this.target;
    const wrong: string[] = [];
    for (const [group, { own }] of this.#groups) {
      const wanted = this.#wanted.get(group);
      const held = this.#resolve(group);
      for (const [address, { must }] of wanted ?? [])
        if (must && !held.has(address)) wrong.push(`${name}: ${group} lacks ${address}`);
      for (const address of held)
        if (wanted?.get(address)?.must !== true && !own.has(address))
          wrong.push(`${name}: ${group} holds ${address}, which does not belong there`);
    }
    return [...wrong, ...this.#leftovers()];
  }

  /** Groups of the product that nothing wants any more, or that no policy can reach. */
  #leftovers(): string[] {
    const { name, device, vdom } = this.target;
    const wrong: string[] = [];
    for (const family of ["ipv4", "ipv6"] as const) {
      const groups = device.groups(vdom, family);
      const inside = new Set(
        groups.filter((group) => this.#wanted.has(group.name)).flatMap(({ members }) => members),
      );
      for (const group of groups) {
        if (isOurs(group.name)) {
          if (!inside.has(group.name))
            wrong.push(`${name}: ${group.name} is left over: it is in no group that is defined`);
        } else if (!this.#foreign.has(group.name) && !this.#wanted.has(group.name)) {
          wrong.push(`${name}: ${group.name} is left over: no cluster defines it`);
        }
      }
    }
    return wrong;
  }

  #inspectGroup(name: string, group: Group, by: Writer): void {
    const { standings, held: before, own } = group;
    const held = this.#resolve(name);
    group.held = held;
    const { healthy } = this.#health;
    const at = this.#now();
    const where = `${this.target.name}: ${name}`;
    for (const address of held) {
      if (own.has(address)) continue;
      let standing = standings.get(address);
      if (standing === undefined) {
        // The product may use a widened object before it reads what was done to it, and while one resource is not to be
        // had, it judges by what it knew of it: what it adds then has to go within the bound like all that is freed.
        if (by === "product" && !this.#widened.has(address) && !this.#health.ill)
          this.#findings.violation(`${where} got ${address}, which never belonged there`);
        standing = unclaimed(healthy, at);
        standings.set(address, standing);
      }
      if (!before.has(address) && by !== "time") {
        standing.isPutIn = by === "other";
        standing.entered = standing.owners;
      }
      if (by === "other" && (standing.claims.size > 1 || !before.has(address))) standing.disturbed = healthy;
      if (standing.may) continue;
      // Somebody else brought it back; or, while something is wrong, the product by what it knew before.
      if (!before.has(address) && (by === "other" || this.#health.ill)) {
        standing.freed = { healthy, at };
      }
      if (healthy - standing.freed.healthy <= this.#boundMs) continue;
      const ms = Math.round(at - standing.freed.at);
      this.#findings.violation(`${where} holds ${address} ${String(ms)} ms after it was freed`);
      standing.freed = { healthy, at };
    }
    for (const address of before) {
      const standing = standings.get(address);
      if (held.has(address) || standing === undefined || own.has(address)) continue;
      if (!standing.may) this.#findings.exposure(at - standing.freed.at);
      if (by === "product" && !standing.may && !standing.isPutIn) {
        this.#guard.left(name, address, standing, (cluster) => {
          const isLike = (each: string): boolean =>
            isIpv6(each) === isIpv6(address) &&
            standings.get(each)?.owners.some((owner) => owner.cluster === cluster) === true;
          const wanted = [...(this.#wanted.get(name)?.keys() ?? [])];
          return {
            before: [...before].filter((each) => isLike(each) && standings.get(each)?.isPutIn !== true)
              .length,
            after: Math.max([...held].filter(isLike).length, wanted.filter(isLike).length),
          };
        });
      }
      const since = Math.max(Math.min(...standing.claims.values()), standing.disturbed);
      // Whether its cluster was heard is not seen from here; in a world in which nothing is wrong it was.
      const isLapsed = this.#health.illFor >= (this.#lapsing.get(name) ?? Number.POSITIVE_INFINITY);
      const isLost = by === "product" && standing.claims.size > 0 && healthy - since > this.#boundMs;
      if (isLost && !isLapsed && !this.#guard.isApproved(name, address))
        this.#findings.violation(`${where} lost ${address}, which belongs there`);
    }
  }

  #resolve(group: string): Set<string> {
    const { device, vdom } = this.target;
    return new Set([...device.resolve(vdom, group, "ipv4"), ...device.resolve(vdom, group, "ipv6")]);
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined)
      this.#groups.set(name, (group = { standings: new Map(), held: new Set(), own: new Set() }));
    return group;
  }
}

const isIpv6 = (address: string): boolean => address.includes(":");

const unclaimed = (healthy: number, at: number): Standing => ({
  may: false,
  claims: new Map(),
  freed: { healthy, at },
  owners: [],
  entered: [],
  isPutIn: false,
  disturbed: Number.NEGATIVE_INFINITY,
});
