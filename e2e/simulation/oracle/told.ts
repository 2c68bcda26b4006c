import type { Stored } from "./version-judge.ts";

interface Body {
  readonly op?: string;
  readonly cluster?: string;
  readonly group?: string;
  readonly address?: string;
  readonly owners?: readonly { readonly uid: string }[];
  readonly epoch?: unknown;
}

/**
 * Because of which pods the product itself has told that an address is in a group: it cannot know more than that. A
 * watcher that begins anew knows the last word only.
 */
export class Told {
  readonly #owners = new Map<string, Map<string, Set<string>>>();
  readonly #last = new Map<string, Map<string, Set<string>>>();
  readonly #epochs = new Map<string, string>();

  stored({ data }: Stored): void {
    const { op, cluster = "", group = "", address = "", owners = [], epoch } = bodyOf(data);
    const reign = JSON.stringify(epoch);
    if (this.#epochs.get(cluster) !== reign) {
      this.#epochs.set(cluster, reign);
      const last = [...(this.#last.get(cluster) ?? [])];
      this.#owners.set(cluster, new Map(last.map(([key, uids]) => [key, new Set(uids)])));
    }
    if (op !== "add") return;
    const key = `${group.replace("/", ".")} ${address}`;
    const uids = owners.map(({ uid }) => uid);
    mapOf(this.#last, cluster).set(key, new Set(uids));
    const all = mapOf(this.#owners, cluster);
    all.set(key, new Set([...(all.get(key) ?? []), ...uids]));
  }

  /** @param group as it is called on firewalls */
  has(cluster: string, group: string, address: string, uid: string): boolean {
    return this.#owners.get(cluster)?.get(`${group} ${address}`)?.has(uid) === true;
  }
}

function mapOf<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const map = maps.get(key) ?? new Map<string, Value>();
  maps.set(key, map);
  return map;
}

function bodyOf(data: Uint8Array): Body {
  try {
    return JSON.parse(new TextDecoder().decode(data)) as Body;
  } catch {
    return {};
  }
}
