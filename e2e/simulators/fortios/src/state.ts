import { createHash } from "node:crypto";
import { FULL_ACCESS, type AccProfile, type ApiUser } from "./access.ts";
import { Chronicle } from "./chronicle.ts";
import { Configuration, type Settings } from "./configuration.ts";
import type { Identity } from "./envelope.ts";
import { Faults } from "./fault.ts";
import { type Row, textIn } from "./field.ts";
import { NO_LATENCY, type Latency } from "./latency.ts";
import { Feeds } from "./feeds.ts";
import { limitsOf, type Limits, type ModelName } from "./limits.ts";
import { Lockout, LOCKOUT, type LockoutRule } from "./lockout.ts";
import { profileOf, type Profile } from "./profile.ts";
import { RequestLog } from "./request-log.ts";
import { addressesOf, FAMILIES, resolveGroup, type Family } from "./resolve.ts";
import { memberNames, type World } from "./rules.ts";
import { ROW_TABLES } from "./tables/registry.ts";
import { Transactions } from "./transactions.ts";
import { DEFAULT_SWITCHES, type Switches } from "./switches.ts";

export interface DeviceOptions {
  /** `7.4`, or a patch: `7.4.1`. */
  readonly profile?: string;
  readonly model?: ModelName;
  readonly limits?: Partial<Limits>;
  /** The first is the management VDOM. */
  readonly vdoms?: readonly string[];
  readonly users?: readonly ApiUser[];
  readonly switches?: Partial<Switches>;
  readonly latency?: Partial<Latency>;
  readonly serial?: string;
  readonly hostname?: string;
  readonly lockout?: Partial<LockoutRule>;
  readonly settings?: Partial<Settings>;
  /** Bodies of more bytes are not kept in the log. */
  readonly loggedBody?: number;
}

export const DEFAULT_TOKEN = "simulator-token";

/** A group as it is now. */
export interface GroupView {
  readonly name: string;
  readonly family: Family;
  readonly comment: string;
  /** Names, sorted. */
  readonly members: readonly string[];
  /** Addresses through all its groups, sorted; the predefined `none` counts for nothing. */
  readonly addresses: readonly string[];
  /** How many objects use it. */
  readonly used: number;
  readonly row: Row;
}

export interface AddressView {
  readonly name: string;
  readonly family: Family;
  readonly comment: string;
  readonly addresses: readonly string[];
  readonly used: number;
  readonly row: Row;
}

/** What the device is and holds, and how to look at it without asking it. */
export class State {
  readonly profile: Profile;
  readonly limits: Limits;
  readonly settings: Settings;
  readonly faults = new Faults();
  readonly transactions = new Transactions();
  readonly feeds = new Feeds();
  readonly log = new RequestLog();
  readonly lockout: Lockout;
  readonly chronicle = new Chronicle();
  switches: Switches;
  latency: Latency;
  serial: string;
  configuration: Configuration;
  /** Until then (ms since 1970) nobody answers: it is rebooting. */
  downUntil = 0;
  /** How many UUIDs were given out. */
  uuids = 0;
  #users: ApiUser[];
  readonly loggedBody: number;

  constructor(options: DeviceOptions = {}) {
    this.profile = profileOf(options.profile ?? "7.4");
    this.limits = limitsOf(options.model ?? "vm", options.limits);
    this.switches = { ...DEFAULT_SWITCHES, ...options.switches };
    this.latency = { ...NO_LATENCY, ...options.latency };
    this.serial = options.serial ?? "FGVM010000000001";
    this.lockout = new Lockout({ ...LOCKOUT, ...options.lockout });
    this.#users = [
      ...(options.users ?? [{ name: "api", token: DEFAULT_TOKEN, profile: FULL_ACCESS, vdoms: "*" }]),
    ];
    this.loggedBody = options.loggedBody ?? 65_536;
    const vdoms = options.vdoms ?? ["root"];
    this.settings = {
      hostname: options.hostname ?? "FGT-SIM",
      managementVdom: vdoms[0] ?? "root",
      centralManagement: { type: "none", fmg: "" },
      ha: { mode: "standalone", groupName: "", priority: 128 },
      ...options.settings,
    };
    this.configuration = Configuration.fresh(vdoms, this.world(), (change) => this.chronicle.record(change));
    this.chronicle.clear(this.configuration);
  }

  get identity(): Identity {
    return { serial: this.serial, profile: this.profile };
  }

  get users(): readonly ApiUser[] {
    return this.#users;
  }

  /** Adds a user, or replaces the one of that name: other rights, another token, another scope. */
  setUser(user: ApiUser): void {
    this.#users = [...this.#users.filter(({ name }) => name !== user.name), user];
  }

  setRights(name: string, profile: AccProfile): void {
    const user = this.#users.find((candidate) => candidate.name === name);
    if (user !== undefined) this.setUser({ ...user, profile });
  }

  removeUser(name: string): void {
    this.#users = this.#users.filter((user) => user.name !== name);
  }

  /** The rules as they are now. */
  world(full: ReadonlySet<string> = new Set()): World {
    return {
      profile: this.profile,
      switches: this.switches,
      limits: this.limits,
      full,
      nextUuid: () => this.#nextUuid(),
    };
  }

  /** @returns undefined where there is none */
  group(vdom: string, name: string, family: Family = "ipv4"): GroupView | undefined {
    const owner = this.configuration.vdom(vdom);
    const id = FAMILIES[family].group;
    const row = owner?.rows(id).get(name)?.row;
    if (owner === undefined || row === undefined) return undefined;
    return {
      name,
      family,
      comment: textIn(row, "comment"),
      members: memberNames(row).toSorted(),
      addresses: resolveGroup(owner, name, family) ?? [],
      used: owner.used(id, name),
      row,
    };
  }

  groups(vdom: string, family: Family = "ipv4"): GroupView[] {
    const names = this.configuration.vdom(vdom)?.rows(FAMILIES[family].group).keys() ?? [];
    return names.flatMap((name) => this.group(vdom, name, family) ?? []);
  }

  address(vdom: string, name: string, family: Family = "ipv4"): AddressView | undefined {
    const owner = this.configuration.vdom(vdom);
    const id = FAMILIES[family].address;
    const row = owner?.rows(id).get(name)?.row;
    if (owner === undefined || row === undefined) return undefined;
    const addresses = addressesOf(row, family);
    return { name, family, comment: textIn(row, "comment"), addresses, used: owner.used(id, name), row };
  }

  addresses(vdom: string, family: Family = "ipv4"): AddressView[] {
    const names = this.configuration.vdom(vdom)?.rows(FAMILIES[family].address).keys() ?? [];
    return names.flatMap((name) => this.address(vdom, name, family) ?? []);
  }

  /** Every row of every table of every VDOM. */
  dump(): Record<string, Record<string, readonly Row[]>> {
    const vdoms = this.configuration.names().map((name) => {
      const vdom = this.configuration.vdom(name);
      const tables = ROW_TABLES.map((table) => {
        const id = `${table.path}.${table.name}`;
        return [
          id,
          vdom
            ?.rows(id)
            .entries()
            .map(({ row }) => row) ?? [],
        ] as const;
      });
      return [name, Object.fromEntries(tables)] as const;
    });
    return Object.fromEntries(vdoms);
  }

  /** A group's addresses through all its groups, sorted; empty where there is no such group. */
  resolve(vdom: string, name: string, family: Family = "ipv4"): readonly string[] {
    const owner = this.configuration.vdom(vdom);
    return (owner === undefined ? undefined : resolveGroup(owner, name, family)) ?? [];
  }

  #nextUuid(): string {
    this.uuids += 1;
    const hex = createHash("md5")
      .update(`${this.serial} ${String(this.uuids)}`)
      .digest("hex");
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `51${hex.slice(14, 16)}`,
      hex.slice(16, 20),
      hex.slice(20),
    ].join("-");
  }
}
