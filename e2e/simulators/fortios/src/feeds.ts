import { parseIPv4, parseIPv6 } from "./ip.ts";

const key = (vdom: string, name: string): string => `${vdom}\u0000${name}`;

/** What was pushed into external resources. Unsure on a real device: whether it survives a reboot (here: no). */
export class Feeds {
  readonly #entries = new Map<string, Set<string>>();

  entries(vdom: string, name: string): readonly string[] {
    return [...(this.#entries.get(key(vdom, name)) ?? [])];
  }

  /** Entries of every feed of the device. */
  get total(): number {
    return [...this.#entries.values()].reduce((sum, set) => sum + set.size, 0);
  }

  /** @returns the entries that are none */
  apply(
    vdom: string,
    name: string,
    command: "add" | "remove" | "snapshot",
    entries: readonly string[],
  ): string[] {
    const set =
      command === "snapshot" ? new Set<string>() : (this.#entries.get(key(vdom, name)) ?? new Set<string>());
    const invalid: string[] = [];
    for (const entry of entries) {
      if (!isEntry(entry)) invalid.push(entry);
      else if (command === "remove") set.delete(entry);
      else set.add(entry);
    }
    this.#entries.set(key(vdom, name), set);
    return invalid;
  }

  forget(vdom: string, name: string): void {
    this.#entries.delete(key(vdom, name));
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** An address, a prefix or a range, of either family. */
function isEntry(entry: string): boolean {
  const [first = "", last, more] = entry.split("-");
  if (last !== undefined) return more === undefined && isAddress(first) && isAddress(last);
  const [address = "", length, extra] = entry.split("/");
  if (extra !== undefined || !isAddress(address)) return false;
  const most = address.includes(":") ? 128 : 32;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most);
}

function isAddress(text: string): boolean {
  return parseIPv4(text) !== null || parseIPv6(text) !== null;
}
