import type { Stored } from "./version-judge.ts";

interface Body {
  readonly op?: string;
  readonly cluster?: string;
  readonly group?: string;
  readonly address?: string;
  readonly owners?: readonly { readonly uid: string }[];
}

/** Because of which pods the product itself has told that an address is in a group: it cannot know more than that. */
export class Told {
  readonly #owners = new Map<string, Set<string>>();

  stored({ data }: Stored): void {
    const { op, cluster = "", group = "", address = "", owners = [] } = bodyOf(data);
    if (op !== "add") return;
    const key = `${cluster} ${group.replace("/", ".")} ${address}`;
    const uids = this.#owners.get(key) ?? new Set();
    for (const { uid } of owners) uids.add(uid);
    this.#owners.set(key, uids);
  }

  /** @param group as it is called on firewalls */
  has(cluster: string, group: string, address: string, uid: string): boolean {
    return this.#owners.get(`${cluster} ${group} ${address}`)?.has(uid) === true;
  }
}

function bodyOf(data: Uint8Array): Body {
  try {
    return JSON.parse(new TextDecoder().decode(data)) as Body;
  } catch {
    return {};
  }
}
