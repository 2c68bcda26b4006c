/** A message as the bus stored it. */
export interface Stored {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly sequence: number;
}

interface Epoch {
  readonly created: string;
  readonly sequence: number;
}

/** What the messages of one cluster's stream have said last. */
interface Line {
  epoch: Epoch | undefined;
  clusterUid: string;
  resourceVersion: number;
  /** Versions that states told of, and until when. */
  readonly told: Map<number, number>;
}

interface Body {
  readonly epoch?: Epoch;
  readonly clusterUid?: string;
  readonly resourceVersion?: string;
  readonly appliedSequence?: number;
}

/**
 * The messages of a claim go out at once: what its predecessor had on the wire may be stored before the first, which
 * fails then, while a later one of the same claim is stored and tells of what was true before. Milliseconds.
 */
const CLAIMING = 10_000;

const STREAM = /^PODGATE_(.+)$/;
const STATE = /^podgate\.clusters\./;
const STATUS = /^\$KV\.podgate-status\.(.+)$/;

/**
 * Judges what is stored on the bus, message by message: no version goes backwards. A watcher that was replaced stores
 * nothing any more, no state is of older lists than the one before, and no status tells of less of a stream than it told
 * before. A store that was put back from a copy, or made anew, begins anew.
 */
export class VersionJudge {
  readonly #now: () => number;
  readonly #violation: (what: string) => void;
  readonly #lines = new Map<string, Line>();
  readonly #frozen = new Set<string>();
  /** Key of a status → the sequence that it told last. */
  readonly #applied = new Map<string, number>();
  /** Those that may tell of less once: their stream is another one, and who writes them learns of it later. */
  readonly #mayFall = new Set<string>();

  /** @param now milliseconds */
  constructor(now: () => number, violation: (what: string) => void) {
    this.#now = now;
    this.#violation = violation;
  }

  stored(stream: string, message: Stored): void {
    const [, cluster] = STREAM.exec(stream) ?? [];
    if (cluster !== undefined) this.#event(cluster, message);
    const [, key] = STATUS.exec(message.subject) ?? [];
    if (key !== undefined && key.includes(".")) this.#status(key, message.data);
  }

  /** Another content than before is in the stream's place. */
  rewound(stream: string): void {
    const [, cluster] = STREAM.exec(stream) ?? [];
    const { told = new Map<number, number>() } = this.#lines.get(cluster ?? "") ?? {};
    if (cluster !== undefined)
      this.#lines.set(cluster, { epoch: undefined, clusterUid: "", resourceVersion: 0, told });
    for (const key of this.#applied.keys())
      if (cluster === undefined || key.startsWith(`${cluster}.`)) this.#mayFall.add(key);
  }

  /** A watcher has confirmed that it publishes no member until it is told to: from here on that is judged. */
  freeze(cluster: string, isFrozen: boolean): void {
    if (isFrozen) this.#frozen.add(cluster);
    else this.#frozen.delete(cluster);
  }

  #line(cluster: string): Line {
    let line = this.#lines.get(cluster);
    if (line === undefined)
      this.#lines.set(
        cluster,
        (line = { epoch: undefined, clusterUid: "", resourceVersion: 0, told: new Map() }),
      );
    return line;
  }

  #event(cluster: string, { subject, data, sequence }: Stored): void {
    const body = bodyOf(data);
    const line = this.#line(cluster);
    const where = `${cluster}: message ${String(sequence)} (${subject})`;
    const { epoch = { created: "", sequence: 0 } } = body;
    const last = line.epoch;
    if (last !== undefined && epoch.created !== last.created)
      this.#violation(`${where} is of a stream made ${epoch.created}, but this one was made ${last.created}`);
    else if (last !== undefined && epoch.sequence < last.sequence)
      this.#violation(
        `${where} is of epoch ${String(epoch.sequence)}, after one of epoch ${String(last.sequence)}`,
      );
    line.epoch = epoch;
    const isClaim = last !== undefined && epoch.sequence > last.sequence;
    if (STATE.test(subject)) this.#state(where, line, body, isClaim);
    else if (this.#frozen.has(cluster)) this.#violation(`${where} is published in maintenance`);
  }

  #state(where: string, line: Line, { clusterUid = "", resourceVersion = "" }: Body, isClaim: boolean): void {
    const version = Number(resourceVersion);
    const now = this.#now();
    if (clusterUid === line.clusterUid) line.told.set(line.resourceVersion, now);
    else if (line.clusterUid !== "") line.told.clear();
    const isRecent = now - (line.told.get(version) ?? Number.NEGATIVE_INFINITY) <= CLAIMING;
    if (clusterUid === line.clusterUid && version < line.resourceVersion && !(isClaim && isRecent))
      this.#violation(
        `${where} is of resourceVersion ${resourceVersion}, after one of ${String(line.resourceVersion)}`,
      );
    line.clusterUid = clusterUid;
    line.resourceVersion = version;
  }

  #status(key: string, data: Uint8Array): void {
    if (data.length === 0) return void this.#applied.delete(key);
    const { appliedSequence = 0 } = bodyOf(data);
    // Of a pusher that has not compared yet.
    if (appliedSequence === 0) return;
    const last = this.#applied.get(key) ?? 0;
    if (appliedSequence < last && !this.#mayFall.delete(key))
      this.#violation(
        `status ${key} tells of sequence ${String(appliedSequence)}, after it told of ${String(last)}`,
      );
    this.#applied.set(key, appliedSequence);
  }
}

const bodyOf = (data: Uint8Array): Body => JSON.parse(new TextDecoder().decode(data)) as Body;
