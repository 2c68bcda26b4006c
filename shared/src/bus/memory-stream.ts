import { BusError, type StoredMessage } from "./bus.ts";

export interface MemoryLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly maxMessageBytes: number;
  /** A message may have a TTL of its own. */
  readonly takesTtl: boolean;
}

export interface Put {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly expectLastSequence?: number | undefined;
  readonly expectSubjectSequence?: number | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly deleted?: boolean;
}

export interface MemoryMessage extends StoredMessage {
  readonly expiresAt: number;
  readonly deleted: boolean;
}

/** A stream's content at one moment: what a restore from a copy brings back. */
export interface StreamSnapshot {
  readonly created: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: readonly MemoryMessage[];
}

/** A last-value table with the store rules of JetStream: one message per subject, compare-and-set, TTL, limits. */
export class MemoryStream {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly limits: MemoryLimits;
  readonly #now: () => number;
  readonly #bySubject = new Map<string, MemoryMessage>();
  readonly #bySequence = new Map<number, MemoryMessage>();
  #created: string;
  #firstSequence: number;
  #lastSequence: number;
  #bytes = 0;
  /** Never later than the earliest expiry: spares a scan at each call. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(
    name: string,
    subjects: readonly string[],
    limits: MemoryLimits,
    start: { readonly created: string; readonly firstSequence: number },
    now: () => number,
  ) {
    this.name = name;
    this.subjects = subjects;
    this.limits = limits;
    this.#created = start.created;
    this.#firstSequence = start.firstSequence;
    this.#lastSequence = start.firstSequence - 1;
    this.#now = now;
  }

  get created(): string {
    return this.#created;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** In the order of sequences, without what has expired. */
  messages(): MemoryMessage[] {
    this.#expire();
    return [...this.#bySequence.values()];
  }

  get firstSequence(): number {
    const [first] = this.messages();
    return first?.sequence ?? Math.max(this.#firstSequence, this.#lastSequence + 1);
  }

  /** @param subject may end in `.>` */
  last(subject: string): MemoryMessage | undefined {
    this.#expire();
    if (!subject.endsWith(".>")) return this.#bySubject.get(subject);
    let newest: MemoryMessage | undefined;
    for (const message of this.#bySubject.values())
      if (message.subject.startsWith(subject.slice(0, -1)) && message.sequence > (newest?.sequence ?? 0))
        newest = message;
    return newest;
  }

  at(sequence: number): MemoryMessage | undefined {
    this.#expire();
    return this.#bySequence.get(sequence);
  }

  /** @throws BusError */
  put(put: Put): MemoryMessage {
    this.#expire();
    const before = this.#bySubject.get(put.subject);
    if (put.ttlSeconds !== undefined && !this.limits.takesTtl) {
      throw new BusError("unfit-stream", `${put.subject}: per-message TTL is disabled`);
    }
    if (put.data.length > this.limits.maxMessageBytes) {
      throw new BusError("too-large", `${put.subject}: message size exceeds maximum allowed`);
    }
    if (put.expectLastSequence !== undefined && put.expectLastSequence !== this.#lastSequence) {
      throw new BusError("wrong-last-sequence", `${put.subject}: wrong last sequence: ${this.#lastSequence}`);
    }
    if (put.expectSubjectSequence !== undefined && put.expectSubjectSequence !== (before?.sequence ?? 0)) {
      throw new BusError(
        "wrong-last-sequence",
        `${put.subject}: wrong last sequence: ${before?.sequence ?? 0}`,
      );
    }
    // JetStream lets a message through that replaces one: the table does not grow by it.
    if (before === undefined && this.#bySubject.size >= this.limits.maxMessages) {
      throw new BusError("full", `${put.subject}: maximum messages exceeded`);
    }
    if (before === undefined && this.#bytes + sizeOf(put) > this.limits.maxBytes) {
      throw new BusError("full", `${put.subject}: maximum bytes exceeded`);
    }
    const storedAt = this.#now();
    const message: MemoryMessage = {
      subject: put.subject,
      data: Uint8Array.from(put.data),
      sequence: this.#lastSequence + 1,
      storedAt,
      expiresAt: put.ttlSeconds === undefined ? Number.POSITIVE_INFINITY : storedAt + put.ttlSeconds * 1000,
      deleted: put.deleted === true,
    };
    this.#lastSequence = message.sequence;
    this.#add(message);
    return message;
  }

  snapshot(): StreamSnapshot {
    return {
      created: this.#created,
      firstSequence: this.#firstSequence,
      lastSequence: this.#lastSequence,
      messages: this.messages(),
    };
  }

  restore(copy: StreamSnapshot): void {
    this.#bySubject.clear();
    this.#bySequence.clear();
    this.#bytes = 0;
    this.#created = copy.created;
    this.#firstSequence = copy.firstSequence;
    this.#lastSequence = copy.lastSequence;
    for (const message of copy.messages) this.#add(message);
  }

  #add(message: MemoryMessage): void {
    this.#drop(this.#bySubject.get(message.subject));
    this.#bySubject.set(message.subject, message);
    this.#bySequence.set(message.sequence, message);
    this.#bytes += sizeOf(message);
    this.#nextExpiry = Math.min(this.#nextExpiry, message.expiresAt);
  }

  #drop(message: MemoryMessage | undefined): void {
    if (message === undefined) return;
    this.#bySequence.delete(message.sequence);
    this.#bySubject.delete(message.subject);
    this.#bytes -= sizeOf(message);
  }

  #expire(): void {
    const now = this.#now();
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const message of this.#bySequence.values()) {
      if (message.expiresAt <= now) this.#drop(message);
      else this.#nextExpiry = Math.min(this.#nextExpiry, message.expiresAt);
    }
  }
}

/** Roughly what the file store counts for a message. */
const sizeOf = (message: { readonly subject: string; readonly data: Uint8Array }): number =>
  message.subject.length + message.data.length + 30;
