/** Which cluster is meant by a name. */
export interface Known {
  /** uid of its namespace kube-system. */
  readonly uid: string;
  /** How often people put another cluster in the place of the one before: the higher number is the later word. */
  readonly adoptions: number;
  /** Whose place it took by the last of these. */
  readonly from?: string | undefined;
}

/** Who may speak under a cluster's name, and who does. */
export class Identity {
  #known: Known | undefined;
  readonly #asks: boolean;
  /** uid of the last state message of this session of the stream. */
  #heard: string | undefined;
  /** uid of one that would be believed, if nobody is known. */
  #candidate: string | undefined;
  /** `waiting`: the next verified set replaces all that stands. `done`: it did, in this session of the stream. */
  #adoption: "none" | "waiting" | "done" = "none";

  /** @param asks false = the first one that is verified is taken, if nobody is known */
  constructor(known: Known | undefined, asks: boolean) {
    this.#known = known;
    this.#asks = asks;
  }

  get known(): Known | undefined {
    return this.#known;
  }

  /** Another cluster than the known one published last: its uid. */
  get foreign(): string | undefined {
    return this.#known === undefined || this.#heard === this.#known.uid ? undefined : this.#heard;
  }

  /** It would be verified, but nobody said that it is the one that is meant: its uid. */
  get candidate(): string | undefined {
    return this.#known === undefined ? this.#candidate : undefined;
  }

  /** Nobody may speak under the name yet. */
  get isOpen(): boolean {
    return this.#known === undefined && this.#asks;
  }

  /** Cause of what an unseen absence takes away. */
  get absenceCause(): "vanished" | "adopted" {
    return this.#adoption === "done" ? "adopted" : "vanished";
  }

  /** Another session of the stream begins. */
  begin(): void {
    this.#heard = undefined;
    this.#candidate = undefined;
  }

  hear(uid: string): void {
    this.#heard = uid;
  }

  /** Everything else speaks for it. @returns whether it may be believed */
  admit(uid: string): boolean {
    if (this.isOpen) this.#candidate = uid;
    else this.#known ??= { uid, adoptions: 0 };
    return !this.isOpen;
  }

  /** It is believed. @returns the cause of all that is not in its set, if a person decided it */
  verified(): "adopted" | undefined {
    const isAdopted = this.#adoption === "waiting";
    this.#adoption = isAdopted ? "done" : "none";
    return isAdopted ? "adopted" : undefined;
  }

  /** A person put the cluster of this uid in the place of the known one. */
  adopt(uid: string): void {
    const { uid: from, adoptions = 0 } = this.#known ?? {};
    this.#known = { uid, adoptions: adoptions + 1, from };
    this.#adoption = "waiting";
  }

  /** Others know this one. @returns what that changes */
  learn(known: Known): "nothing" | "first" | "adopted" | "another" {
    const before = this.#known;
    this.#known = known;
    if (before === undefined) return "first";
    if (before.uid === known.uid) return "nothing";
    const isAdopted = known.from === before.uid;
    this.#adoption = isAdopted ? "waiting" : "none";
    return isAdopted ? "adopted" : "another";
  }
}
