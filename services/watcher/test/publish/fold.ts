import { createHash } from "node:crypto";
import type { StoredMessage } from "@podgate/shared/bus/bus";

interface Body {
  readonly op?: "add" | "remove";
  readonly cause?: string;
  readonly group: string;
  readonly address: string;
  readonly owners: readonly { readonly name: string }[];
  readonly phase?: string;
  readonly groups: readonly string[];
  readonly listed: Readonly<Record<string, number>>;
  readonly members: number;
  readonly digest: string;
  readonly clusterUid: string;
  readonly resourceVersion: string;
  readonly observedAt: number;
  readonly epoch: { readonly created: string; readonly sequence: number };
}

export type Seen = Body & { readonly sequence: number; readonly at: number };

/**
 * A reader of one stream, written from docs/adr/0003 and not from the code: it folds what is stored and compares
 * every state message with what it holds at that place.
 */
export class Fold {
  readonly members = new Set<string>();
  readonly events: Seen[] = [];
  readonly states: Seen[] = [];
  readonly faults: string[] = [];

  take({ subject, sequence, data, storedAt }: StoredMessage): void {
    let body: Body;
    try {
      body = JSON.parse(new TextDecoder().decode(data)) as Body;
    } catch {
      return;
    }
    const seen = { ...body, sequence, at: storedAt };
    if (subject.startsWith("podgate.clusters.")) {
      this.states.push(seen);
      this.#compare(seen);
      return;
    }
    const key = `${body.group} ${body.address}`;
    const last = this.events.findLast(({ group, address }) => `${group} ${address}` === key);
    this.events.push(seen);
    if (body.op === "add") this.members.add(key);
    else if (!this.members.delete(key) && last?.cause !== "vanished")
      this.faults.push(`${sequence}: ${key} removed, but not a member`);
  }

  /** What another client or an operator does to the stream is not told by messages. */
  reset(keys: Iterable<string>): void {
    this.members.clear();
    for (const key of keys) this.members.add(key);
  }

  keys(): string[] {
    return [...this.members].toSorted();
  }

  phases(): string[] {
    return this.states.map(({ phase }) => String(phase)).filter((phase, at, all) => phase !== all[at - 1]);
  }

  #compare({ phase, members, digest, sequence }: Seen): void {
    const unread = (phase === "syncing" || phase === "maintenance") && members === 0 && /^0*$/.test(digest);
    if (unread || (members === this.members.size && digest === this.#digest())) return;
    this.faults.push(
      `${sequence}: ${String(phase)} counts ${members} members, the stream holds ${this.members.size}`,
    );
  }

  #digest(): string {
    let sum = 0n;
    for (const key of this.members) {
      const [group = "", address = ""] = key.split(" ");
      const bytes = createHash("sha256").update(`${group}\0${address}`).digest().subarray(0, 16);
      sum += BigInt(`0x${bytes.toString("hex")}`);
    }
    return (sum % (1n << 128n)).toString(16).padStart(32, "0");
  }
}
