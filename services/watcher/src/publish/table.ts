import { Digest } from "@podgate/shared/contract/digest";

export const memberKey = (group: string, address: string): string => `${group} ${address}`;

/** The members a cluster's stream says there are, with the count and digest its state messages carry. */
export class Table {
  readonly #groups = new Map<string, Set<string>>();
  readonly #digest = new Digest();
  #members = 0;

  has(group: string, address: string): boolean {
    return this.#groups.get(group)?.has(address) ?? false;
  }

  add(group: string, address: string): void {
    let addresses = this.#groups.get(group);
    if (addresses === undefined) this.#groups.set(group, (addresses = new Set()));
    if (addresses.has(address)) return;
    addresses.add(address);
    this.#digest.add(group, address);
    this.#members += 1;
  }

  remove(group: string, address: string): void {
    const addresses = this.#groups.get(group);
    if (addresses === undefined || !addresses.delete(address)) return;
    if (addresses.size === 0) this.#groups.delete(group);
    this.#digest.remove(group, address);
    this.#members -= 1;
  }

  *all(): Generator<{ readonly group: string; readonly address: string }> {
    for (const [group, addresses] of this.#groups) for (const address of addresses) yield { group, address };
  }

  get members(): number {
    return this.#members;
  }

  get digest(): string {
    return this.#digest.toString();
  }
}
