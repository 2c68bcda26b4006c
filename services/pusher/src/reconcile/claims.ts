/** A VDOM of a device, as it was found behind a target's URL. */
export interface Found {
  readonly serial: string;
  readonly vdom: string;
}

/** What another pusher found behind a target of its devices. */
export type Foreign = () => ReadonlyMap<string, Found>;

/**
 * Which target may write a device's VDOM: the first in the configuration. Two URLs can lead to one device (two
 * names, two units of a pair), and two writers of one VDOM would undo each other's work, in one process as in two.
 */
export class Claims {
  /** In the order of the configuration. */
  readonly #targets: readonly string[];
  readonly #foreign: Foreign;
  readonly #own = new Map<string, Found>();

  constructor(targets: readonly string[], foreign: Foreign = () => new Map()) {
    this.#targets = targets;
    this.#foreign = foreign;
  }

  /** @returns tells at any later moment who else has it by right; undefined = nobody */
  claim(target: string, found: Found): () => string | undefined {
    this.#own.set(target, found);
    return () => {
      const current = this.#own.get(target);
      if (current === undefined) return undefined;
      const all = new Map([...this.#foreign(), ...this.#own]);
      const first = this.#targets.find((each) => isSame(all.get(each), current));
      return first === undefined || first === target
        ? undefined
        : `this is VDOM ${current.vdom} of ${current.serial}, which target ${first} writes already: remove one of the two`;
    };
  }

  /** Another unit was found behind its URL, or another pusher has it now. */
  release(target: string): void {
    this.#own.delete(target);
  }

  /** What was found behind a target's URL. */
  of(target: string): Found | undefined {
    return this.#own.get(target);
  }
}

const isSame = (one: Found | undefined, other: Found): boolean =>
  one?.serial === other.serial && one.vdom === other.vdom;
