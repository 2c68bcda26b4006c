import type { Clock } from "@podgate/shared/runtime/clock";
import { KubernetesError } from "./transport.ts";

/** Aborts a request over which no byte has come for too long, whatever the socket says. */
export class Watchdog {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  #cancel: () => void;
  #barked = false;

  constructor(clock: Clock, limitMs: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#cancel = this.#arm();
  }

  /** The same bytes. While the reader is busy with some, the silence is his own and is not counted. */
  async *watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#cancel();
      yield chunk;
      this.#cancel = this.#arm();
    }
  }

  /** What an error of the request was: `silent` if it was aborted here. */
  verdict(error: unknown): unknown {
    return this.#barked ? new KubernetesError("silent", `no byte for ${this.#limitMs} ms`) : error;
  }

  stop(): void {
    this.#cancel();
    this.#controller.abort();
  }

  #arm(): () => void {
    return this.#clock.timer(this.#limitMs, () => {
      this.#barked = true;
      // The transport is told by the reason, too: its other connections may be as dead.
      this.#controller.abort(new KubernetesError("silent", `no byte for ${this.#limitMs} ms`));
    });
  }
}
