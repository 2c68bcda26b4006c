/** What reaches a process as a sequence: items, then perhaps an end or a failure. */
export class Inbox<T> {
  readonly #items: T[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  push(item: T): void {
    if (this.#end !== undefined) return;
    this.#items.push(item);
    this.#wake();
  }

  /** What was pushed before is still given. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** What was pushed and not taken is lost, too. */
  break(error: Error): void {
    if (this.#end === undefined) this.#items.length = 0;
    this.end(error);
  }

  /** @param signal ends it without an error */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const wake = (): void => this.#wake();
    signal.addEventListener("abort", wake, { once: true });
    try {
      while (!signal.aborted) {
        const item = this.#items.shift();
        if (item !== undefined) yield item;
        else if (this.#end !== undefined) {
          if (this.#end.error !== undefined) throw this.#end.error;
          return;
        } else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
