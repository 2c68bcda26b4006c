/**
 * Which target may write a device's VDOM: the first in the configuration. Two URLs can lead to one device (two
 * names, two units of a pair), and two writers of one VDOM would undo each other's work.
 */
export class Claims {
  /** Serial and VDOM → the targets that found them, by their places in the configuration. */
  readonly #claims = new Map<string, Map<number, string>>();

  /** @returns tells at any later moment who else has it by right; undefined = nobody */
  claim(
    place: number,
    target: string,
    { serial, vdom }: { readonly serial: string; readonly vdom: string },
  ): () => string | undefined {
    const key = `${serial} ${vdom}`;
    const claimants = this.#claims.get(key) ?? new Map<number, string>();
    this.#claims.set(key, claimants);
    claimants.set(place, target);
    return () => {
      const first = Math.min(...claimants.keys());
      return first === place || !claimants.has(place)
        ? undefined
        : `this is VDOM ${vdom} of ${serial}, which target ${claimants.get(first)} writes already: remove one of the two`;
    };
  }

  /** The target found another unit behind its URL. */
  release(place: number): void {
    for (const claimants of this.#claims.values()) claimants.delete(place);
  }
}
