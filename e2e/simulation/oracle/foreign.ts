import type { Device } from "@podgate/fortios-simulator/device";

type Row = Readonly<Record<string, unknown>>;

const GROUPS = ["firewall.addrgrp", "firewall.addrgrp6"];
const TABLES = ["firewall.address", "firewall.address6", ...GROUPS, "firewall.policy"];

/** Is it the product's by its name? Those that it gives are kept for it (docs/architecture.md). */
export const isOurs = (name: string): boolean => name.startsWith("pg.sim.");

/** Everything on one VDOM that is somebody else's, byte by byte: the product never changes it. */
export class Foreign {
  readonly #device: Device;
  readonly #vdom: string;
  readonly #texts = new WeakMap<Row, string>();
  #rows = new Map<string, string>();

  constructor(device: Device, vdom: string) {
    this.#device = device;
    this.#vdom = vdom;
    this.#rows = this.#read();
  }

  /** Somebody else was at work: what is there now is what he wants. */
  accept(): void {
    this.#rows = this.#read();
  }

  /** Groups that the product did not make. */
  has(group: string): boolean {
    return GROUPS.some((table) => this.#rows.has(`${table} ${group}`));
  }

  /**
   * What the product changed that is not its own, since the last `accept`. Groups that users defined it may make, and
   * its own children may come and go in any.
   *
   * @param isDefined a group that some cluster defines, or has defined
   */
  changes(isDefined: (group: string) => boolean): string[] {
    const now = this.#read();
    const changes: string[] = [];
    for (const [key, row] of this.#rows) {
      const is = now.get(key);
      if (is !== row)
        changes.push(`${key} was ${is === undefined ? "deleted" : `changed to ${is}`}; it was ${row}`);
    }
    for (const [key, row] of now) {
      const [table, name] = split(key);
      if (this.#rows.has(key) || (GROUPS.includes(table) && isDefined(name))) continue;
      changes.push(`${key} was made: ${row}`);
    }
    return changes;
  }

  /** A row is never changed in place: another content is another object. */
  #textOf(row: Row): string {
    let text = this.#texts.get(row);
    if (text === undefined) this.#texts.set(row, (text = JSON.stringify(withoutChildren(row))));
    return text;
  }

  #read(): Map<string, string> {
    const rows = new Map<string, string>();
    const vdom = this.#device.configuration.vdom(this.#vdom);
    for (const table of TABLES) {
      for (const { row } of vdom?.rows(table).entries() ?? []) {
        const name = textOf(row[table === "firewall.policy" ? "policyid" : "name"]);
        if (isOurs(name) || isMade(row)) continue;
        rows.set(`${table} ${name}`, this.#textOf(row));
      }
    }
    return rows;
  }
}

/** A group that the product made because a user defined it carries its mark. */
const isMade = (row: Row): boolean => textOf(row["comment"]).startsWith("podgate ");

function withoutChildren(row: Row): Row {
  const members = row["member"];
  if (!Array.isArray(members)) return row;
  return { ...row, member: members.filter((member: Row) => !isOurs(textOf(member["name"]))) };
}

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const split = (key: string): [string, string] => {
  const at = key.indexOf(" ");
  return [key.slice(0, at), key.slice(at + 1)];
};
