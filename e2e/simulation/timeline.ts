/** Something that will happen. */
interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Virtual time. Nothing moves it but `advance`, and it moves only when everything that the last event set off has come
 * to rest: one thread without real I/O and without real timers does the same things in the same order each time.
 */
export class Timeline {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Runs it `ms` from now; events of one moment run in the order in which they were asked for. @returns cancels it */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, ms), order: this.#order, run };
    this.#order += 1;
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Lets so much time pass. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      if (next.run === undefined) continue;
      this.#now = next.at;
      next.run();
      await settled();
    }
    this.#now = until;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Microtasks, also those that microtasks make, are all run before the next macrotask. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
