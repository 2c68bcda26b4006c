import { sameEpoch, type Epoch } from "@podgate/shared/contract/epoch";
import { parseEvent, type Event } from "@podgate/shared/contract/event";
import { parseState, type State } from "@podgate/shared/contract/state";
import { parseSubject } from "@podgate/shared/contract/subjects";
import { UnreadableMessage } from "@podgate/shared/contract/version";
import { Definitions } from "./definitions.ts";
import { Identity, type Known } from "./identity.ts";
import { Lists, type Listed } from "./listing.ts";
import { memberOf, removalOf, Session } from "./session.ts";
import { Standing, type FoldedGroup } from "./standing.ts";

/** What the bus reader gives (shared/bus/reader.ts), as far as folding needs it. */
export type FoldInput =
  | { readonly kind: "session"; readonly created: string; readonly lastSequence: number }
  | {
      readonly kind: "message";
      readonly subject: string;
      readonly sequence: number;
      readonly data: Uint8Array;
      readonly replayed: boolean;
    }
  | { readonly kind: "caught-up" }
  | { readonly kind: "interrupted"; readonly reason: string };

/** What one input changed. */
export interface FoldChange {
  /** Groups whose members, removals or definition changed; "all" when the cluster's verification did. */
  readonly groups: ReadonlySet<string> | "all";
}

const NOTHING: FoldChange = { groups: new Set() };
const ALL: FoldChange = { groups: "all" };
const READING = "reading the stream";
const UNCONFIRMED = "its watcher has not confirmed the stream yet";
const ADOPTED = "it was adopted, and its watcher has not confirmed the stream yet";
const ASKING = "heard for the first time: another pusher may know another cluster under this name";

export interface FoldOptions {
  readonly cluster: string;
  /** Which cluster is meant; undefined = nobody is known yet. */
  readonly known?: Known | undefined;
  /** Where nobody is known, the first one that could be verified is believed only after `learn`. */
  readonly asks?: boolean;
  /** `fold.listed` of an earlier run: what a list must not fall short of. */
  readonly listed?: Listed | undefined;
  /** Unverified after this long without a message, in milliseconds. */
  readonly silentMs: number;
  /** Monotonic milliseconds: until it is verified it counts as silent since then. */
  readonly startedAt?: number;
}

/**
 * One cluster as the pusher may act on it (docs/architecture.md).
 *
 * Two sets: what *stands* (acts on firewalls) and what the current *session* of the stream says. The session's set
 * replaces the standing one only when a live state message says `synced` with the pinned uid and with count and
 * digest equal to the session's set at exactly its place: then the cluster is verified. Live additions act at
 * once; live removals do while verified, except that `vanished` waits for the state message that tells how long the
 * list behind it is. Everything else waits for the next verification. An unverified cluster keeps its members.
 *
 * Replayed additions wait too (docs/adr/0005): an older store that was restored could give addresses away. What was
 * known to have left before a session counts again when it is read again: somebody else may have the address by now.
 */
export class ClusterFold {
  readonly cluster: string;
  readonly #silentMs: number;
  readonly #standing = new Standing();
  #session: Session | undefined;
  #verifiedEpoch: Epoch | undefined;
  readonly #identity: Identity;
  readonly #lists: Lists;
  readonly #definitions = new Definitions();
  /** Since when this session of the stream is followed live. */
  #caughtUpAt: number | undefined;
  #isForgotten = false;
  #isDraining = false;
  #mismatch = false;
  #why = "not heard yet";
  #heardAt = Number.NEGATIVE_INFINITY;
  /** When it last was, or asked on purpose not to be. */
  #verifiedAt: number;

  constructor(options: FoldOptions) {
    this.cluster = options.cluster;
    this.#silentMs = options.silentMs;
    this.#identity = new Identity(options.known, options.asks ?? false);
    this.#lists = new Lists(options.listed);
    this.#verifiedAt = options.startedAt ?? 0;
  }

  get verified(): boolean {
    return this.#verifiedEpoch !== undefined;
  }

  /** Of the watcher whose word verified it. */
  get epoch(): Epoch | undefined {
    return this.#verifiedEpoch;
  }

  /** Monotonic milliseconds of the last moment at which it was verified, or of the start; undefined = it is. */
  get unverifiedSince(): number | undefined {
    return this.verified ? undefined : this.#verifiedAt;
  }

  /** Why the cluster is not verified, in words; undefined when it is. */
  get reason(): string | undefined {
    if (this.verified) return undefined;
    return this.#isForgotten ? "it was forgotten (podgate-pusher forget-cluster)" : this.#why;
  }

  /** Another cluster publishes under this name: its uid. */
  get foreign(): string | undefined {
    return this.#identity.foreign;
  }

  /** Nobody is known under the name, and this one would be verified: its uid. */
  get candidate(): string | undefined {
    return this.#identity.candidate;
  }

  /** Something was published lately, by whomever. @param now milliseconds of the monotonic clock */
  isHeard(now: number): boolean {
    return now - this.#heardAt <= this.#silentMs;
  }

  /** The stream was followed for so long, and nothing came. @param now milliseconds of the monotonic clock */
  isSilent(now: number): boolean {
    return this.#caughtUpAt !== undefined && now - Math.max(this.#caughtUpAt, this.#heardAt) > this.#silentMs;
  }

  /** A person decided that the cluster has no group any more, at its watcher or here; undefined = it is in use. */
  get retired(): "drained" | "forgotten" | undefined {
    if (this.#isForgotten) return "forgotten";
    return this.verified && this.#isDraining ? "drained" : undefined;
  }

  /**
   * A person decided that the cluster does not exist any more: it has no member and defines no group, until it is
   * verified again. Nothing happens while it is verified: it does exist.
   */
  forget(): FoldChange {
    if (this.verified || this.#isForgotten) return NOTHING;
    this.#isForgotten = true;
    this.#standing.clear();
    this.#definitions.set(new Set());
    return ALL;
  }

  /** It does exist, though it is not verified yet: what firewalls still hold of it stays. */
  recall(): FoldChange {
    if (!this.#isForgotten) return NOTHING;
    this.#isForgotten = false;
    this.#definitions.set(undefined);
    return ALL;
  }

  /**
   * A person decided that the cluster of another uid takes this one's place. The members stay until that one is
   * verified; then all that it does not have leaves with the cause `adopted`, and its lists are measured by no others.
   */
  adopt(uid: string): FoldChange {
    if (uid === this.uid) return NOTHING;
    this.#identity.adopt(uid);
    this.#lists.measureBy(undefined);
    return this.#unverify(ADOPTED);
  }

  /**
   * All pushers know this cluster under the name. Where that is another one than before, the members stay until it is
   * verified, as when it was adopted; but what it does not have is weighed as always, unless a person put it in the
   * place of the very one that was known here.
   * @param listed its lists that were last believed
   */
  learn(known: Known, listed: Listed): FoldChange {
    const { candidate } = this.#identity;
    const change = this.#identity.learn(known);
    if (change === "nothing") return NOTHING;
    if (change === "first") {
      this.#lists.meet(listed, candidate === known.uid);
      return this.#unverify(UNCONFIRMED);
    }
    this.#lists.measureBy(change === "adopted" ? undefined : listed);
    return this.#unverify(change === "adopted" ? ADOPTED : "another cluster is known under its name now");
  }

  /** Which cluster is meant, to be kept across restarts. */
  get known(): Known | undefined {
    return this.#identity.known;
  }

  /** The uid in force. */
  get uid(): string | undefined {
    return this.known?.uid;
  }

  /** The lists that were last believed, to be kept across restarts: shorter ones prove no absence. */
  get listed(): Listed | undefined {
    return this.#lists.believed;
  }

  /** Groups the cluster defines, by its last verified state; undefined before the first. */
  get defined(): ReadonlySet<string> | undefined {
    return this.#definitions.names;
  }

  /** Is the group defined in Kubernetes? "no" only by a verified state that is newer than all that its group says. */
  definition(group: string): "yes" | "no" | "unknown" {
    if (this.#isForgotten) return "no";
    return this.#definitions.of(group, this.groups.get(group), this.verified);
  }

  /** Sequence of the last message that was taken. */
  get lastSequence(): number {
    return this.#session?.lastSequence ?? 0;
  }

  get groups(): ReadonlyMap<string, FoldedGroup> {
    return this.#standing.groups;
  }

  /** Why an address that a firewall holds and this fold never heard of may not go; undefined = it may. */
  get absencesHeld(): string | undefined {
    return this.#lists.absencesHeld;
  }

  /** Why such an address goes. */
  get absenceCause(): "vanished" | "adopted" {
    return this.#identity.absenceCause;
  }

  /** Why the cluster's lists are not believed where they lack an address; undefined = nothing depends on them. */
  get shortList(): string | undefined {
    return this.absencesHeld ?? this.#standing.doubt;
  }

  /** Every firewall was read and holds no address that only a short list lacks: the present lists are the normal ones. */
  settleAbsences(now: number): FoldChange {
    if (!this.verified) return NOTHING;
    this.#lists.settle();
    return { groups: this.#standing.judge(undefined, now) };
  }

  /** A state message would verify the cluster or decide what vanished: ask for one (`podgate.poke.<cluster>`). */
  get poke(): boolean {
    const session = this.#session;
    if (session === undefined || !session.caughtUp || session.unreadable !== undefined) return false;
    return this.verified ? this.#standing.undecided : !this.#mismatch;
  }

  /** The session disagrees with its watcher or holds what can't be read, and only reading anew can heal that. */
  get stale(): boolean {
    return this.#session !== undefined && (this.#mismatch || this.#session.unreadable !== undefined);
  }

  /** @param now milliseconds of the monotonic clock */
  take(input: FoldInput, now: number): FoldChange {
    if (this.verified) this.#verifiedAt = now;
    switch (input.kind) {
      case "session":
        this.#session = new Session(input.created);
        this.#identity.begin();
        this.#mismatch = false;
        this.#caughtUpAt = undefined;
        return join(this.#standing.reread() ? ALL : NOTHING, this.#unverify(READING));
      case "caught-up":
        this.#caughtUpAt = now;
        return this.#caughtUp();
      case "interrupted":
        this.#caughtUpAt = undefined;
        this.#session = undefined;
        return this.#unverify(`the stream was interrupted: ${input.reason}`);
      default:
        return join(this.#silence(now), this.#message(input, now));
    }
  }

  /** Call at least once a second. @param now milliseconds of the monotonic clock */
  tick(now: number): FoldChange {
    if (this.verified) this.#verifiedAt = now;
    this.#standing.prune(now);
    return this.#silence(now);
  }

  #caughtUp(): FoldChange {
    const session = this.#session;
    if (session === undefined) return NOTHING;
    session.caughtUp = true;
    if (this.#why !== READING) return NOTHING;
    const isEmpty = session.lastSequence === 0;
    return this.#unverify(isEmpty ? "nothing heard from its watcher yet" : UNCONFIRMED);
  }

  #silence(now: number): FoldChange {
    if (!this.verified || now - this.#heardAt <= this.#silentMs) return NOTHING;
    return this.#unverify(`silent for more than ${Math.round(this.#silentMs / 1000)} s`);
  }

  #message(
    { subject, sequence, data, replayed }: Extract<FoldInput, { kind: "message" }>,
    now: number,
  ): FoldChange {
    const session = this.#session;
    // A message that was delivered twice says nothing new, and its sequence would run backwards.
    if (session === undefined || sequence <= session.lastSequence) return NOTHING;
    session.lastSequence = sequence;
    if (!replayed) this.#heardAt = now;
    try {
      if (parseSubject(subject).kind === "state") {
        const state = parseState(subject, data);
        session.readable(subject);
        this.#identity.hear(state.clusterUid);
        // The last message per subject may have replaced an older state behind which events were replayed.
        return replayed ? NOTHING : this.#takeState(session, state, now);
      }
      const event = parseEvent(subject, data);
      if (event.cluster !== this.cluster)
        throw new UnreadableMessage("wrong-subject", `${subject}: of another cluster`);
      session.readable(subject);
      session.apply(event, sequence);
      return replayed ? this.#rereadEvent(event, sequence) : this.#takeEvent(event, sequence, now);
    } catch (error) {
      const fault = error instanceof UnreadableMessage ? error.message : `${subject}: unreadable`;
      session.takeUnreadable(subject, fault);
      return this.#unverify(`a message cannot be read: ${fault}`);
    }
  }

  #rereadEvent({ op, group, address }: Event, sequence: number): FoldChange {
    const isKnown = op === "remove" && this.#standing.confirm(group, address, sequence);
    return isKnown ? { groups: new Set([group]) } : NOTHING;
  }

  #takeEvent(event: Event, sequence: number, now: number): FoldChange {
    let unverified = NOTHING;
    if (this.#verifiedEpoch !== undefined && !sameEpoch(event.epoch, this.#verifiedEpoch))
      unverified = this.#unverify("another watcher publishes");
    const { group, address } = event;
    if (event.op === "add") {
      if (this.foreign !== undefined || this.#identity.isOpen || this.#isForgotten) return unverified;
      this.#standing.add(group, address, memberOf(event, sequence));
    } else if (!this.verified) {
      return unverified;
    } else if (event.cause === "vanished") {
      this.#standing.vanish(group, address, removalOf(event, sequence));
    } else {
      this.#standing.remove(group, address, removalOf(event, sequence), now);
    }
    return join(unverified, { groups: new Set([group]) });
  }

  #takeState(session: Session, state: State, now: number): FoldChange {
    const { candidate } = this.#identity;
    const doubt = this.#doubt(session, state);
    if (doubt === ASKING) this.#lists.meet(state.listed, candidate === state.clusterUid);
    if (state.phase === "maintenance" && this.foreign === undefined) this.#verifiedAt = now;
    if (doubt !== undefined) return this.#unverify(doubt);
    const before = this.verified;
    this.#verifiedEpoch = state.epoch;
    const changed = this.#definitions.take(state.groups, session.lastSequence, this.groups);
    this.#isForgotten = false;
    this.#isDraining = state.phase === "draining";
    if (!before) this.#standing.replace(session, now, this.#identity.verified());
    // A cluster can be drained without its lists: those of such a state measure nothing.
    if (!this.#isDraining) for (const group of this.#judge(state.listed, now)) changed.add(group);
    return before ? { groups: changed } : ALL;
  }

  /** Decides what vanished, by the lists that this state tells of. */
  #judge(listed: Listed, now: number): Set<string> {
    const absencesBefore = this.absencesHeld;
    const changed = this.#standing.judge(this.#lists.weigh(listed), now);
    this.#lists.keep(this.#standing.holds);
    if (absencesBefore !== this.absencesHeld) for (const name of this.groups.keys()) changed.add(name);
    return changed;
  }

  #doubt(session: Session, state: State): string | undefined {
    if (this.foreign !== undefined)
      return `another cluster (uid ${this.foreign}) publishes under this name, and ${this.uid} is known: give one of the two another name, or, if it was rebuilt, run podgate-pusher adopt-cluster ${this.cluster}`;
    if (session.unreadable !== undefined) return `a message cannot be read: ${session.unreadable}`;
    if (!session.caughtUp) return READING;
    if (state.epoch.created !== session.created) return "the stream was made anew";
    if (state.phase === "maintenance")
      return "in maintenance: what firewalls hold stays until podgate-watcher resume";
    if (state.phase === "syncing") return "the watcher says syncing";
    this.#mismatch = state.members !== session.members || state.digest !== session.digest;
    if (!this.#mismatch) return this.#identity.admit(state.clusterUid) ? undefined : ASKING;
    return state.members === session.members
      ? "the watcher's digest of its members is not that of the stream"
      : `the watcher counts ${state.members} members, the stream holds ${session.members}`;
  }

  #unverify(why: string): FoldChange {
    const before = this.verified;
    this.#why = why;
    this.#verifiedEpoch = undefined;
    return before ? ALL : NOTHING;
  }
}

const join = (a: FoldChange, b: FoldChange): FoldChange =>
  a.groups === "all" || b.groups === "all"
    ? ALL
    : a.groups.size === 0
      ? b
      : { groups: new Set([...a.groups, ...b.groups]) };
