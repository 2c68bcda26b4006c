import { createHash } from "node:crypto";
import type { Row } from "./field.ts";
import type { World } from "./rules.ts";
import type { Switches } from "./switches.ts";
import { tableId, type Table } from "./table.ts";
import { predefined } from "./tables/predefined.ts";
import { tableOf } from "./tables/registry.ts";
import { Vdom, blankRow, type RowChange } from "./vdom.ts";
import { create } from "./write.ts";

/** What the singletons say. */
export interface Settings {
  hostname: string;
  managementVdom: string;
  centralManagement: { type: "none" | "fortimanager"; fmg: string };
  ha: { mode: "standalone" | "a-p" | "a-a"; groupName: string; priority: number };
}

/** The whole configuration: VDOMs with their rows, and the settings of the device. */
export class Configuration {
  readonly #vdoms: Map<string, Vdom>;

  constructor(vdoms: readonly Vdom[]) {
    this.#vdoms = new Map(vdoms.map((vdom) => [vdom.name, vdom]));
  }

  /** VDOMs as they come from the factory. */
  static fresh(names: readonly string[], world: World, changed: (change: RowChange) => void): Configuration {
    return new Configuration(names.map((name) => freshVdom(name, world, changed)));
  }

  vdom(name: string): Vdom | undefined {
    return this.#vdoms.get(name);
  }

  names(): string[] {
    return [...this.#vdoms.keys()];
  }

  /** This one and a VDOM as it comes from the factory; one of that name that is there stays. */
  with(name: string, world: World, changed: (change: RowChange) => void): Configuration {
    return this.and(this.#vdoms.get(name) ?? freshVdom(name, world, changed));
  }

  /** This one and a VDOM, instead of the one of that name. */
  and(vdom: Vdom): Configuration {
    return new Configuration([...this.#vdoms.values(), vdom]);
  }

  /** This one without a VDOM and all it holds. */
  without(name: string): Configuration {
    return new Configuration([...this.#vdoms.values()].filter((vdom) => vdom.name !== name));
  }

  copy(changed: (change: RowChange) => void): Configuration {
    return new Configuration([...this.#vdoms.values()].map((vdom) => vdom.copy(changed)));
  }

  /** 32 hex digits that change when, and only when, what they cover changes. */
  revision(vdom: string, table: Table, scope: Switches["revisionScope"]): string {
    const own = this.#vdoms.get(vdom);
    let covered = "0";
    if (scope === "global") {
      covered = [...this.#vdoms.values()].map(({ digest }) => digest.toString(16)).join(",");
    } else if (scope === "vdom") {
      covered = own?.digest.toString(16) ?? "0";
    } else if (table.mkey !== undefined) {
      covered = own?.rows(tableId(table)).digest.toString(16) ?? "0";
    }
    const seed = scope === "table" ? `${vdom} ${tableId(table)} ${covered}` : covered;
    return createHash("md5").update(seed).digest("hex");
  }
}

function freshVdom(name: string, world: World, changed: (change: RowChange) => void): Vdom {
  const vdom = new Vdom(name, changed);
  for (const { table: id, body, fixed } of predefined(world.profile)) {
    const table = tableOf(id);
    if (table === undefined) continue;
    const { mkey } = create(world, vdom, table, body);
    const entry = vdom.rows(id).get(mkey);
    if (entry !== undefined) vdom.put(table, mkey, entry.row, { fixed: fixed === true, predefined: true });
  }
  return vdom;
}

/** The one row of a singleton. */
export function singleton(table: Table, world: World, settings: Settings): Row {
  const row = blankRow(table, world.profile);
  if (table.name === "global") {
    row["hostname"] = settings.hostname;
    row["management-vdom"] = settings.managementVdom;
  } else if (table.name === "central-management") {
    row["type"] = settings.centralManagement.type;
    row["fmg"] = settings.centralManagement.fmg;
  } else if (table.name === "ha") {
    row["mode"] = settings.ha.mode;
    row["group-name"] = settings.ha.groupName;
    row["priority"] = settings.ha.priority;
  }
  return row;
}
