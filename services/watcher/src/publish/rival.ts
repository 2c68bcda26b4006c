import type { State } from "@podgate/shared/contract/state";

/** So many heartbeats without a word, and the other one counts as gone. */
const SILENT_BEATS = 15;

/**
 * Another cluster published last under our name. While it is heard it keeps the name; when it has been silent for long
 * it may have been rebuilt as ours, which then publishes (and is adopted, or not, at the pusher). Whoever the pusher
 * knows by its uid takes the name back at any time. Silence is measured on our own clock.
 */
export class Rival {
  readonly #silentMs: number;
  #seen: { readonly sequence: number; readonly at: number } | undefined;

  constructor(heartbeatMs: number) {
    this.#silentMs = heartbeatMs * SILENT_BEATS;
  }

  /**
   * May this cluster publish under the name?
   * @param last the newest state message and its sequence
   * @param known uid of the cluster that the pusher knows under the name
   */
  yields(
    last: { readonly state: State; readonly sequence: number },
    ours: string,
    known: string | undefined,
    now: number,
  ): boolean {
    if (last.state.clusterUid === ours || known === ours) return true;
    if (this.#seen?.sequence !== last.sequence) this.#seen = { sequence: last.sequence, at: now };
    return now - this.#seen.at >= this.#silentMs;
  }

  get silentSeconds(): number {
    return this.#silentMs / 1000;
  }
}
