import type { GroupStatusView } from "./status-of.ts";

/** A Kubernetes Event on a group definition. */
export interface GroupEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

interface Told {
  /** Message of the refusal of the definition; "" while it is accepted. */
  fault: string;
  outSince: number | undefined;
  outOfSync: boolean;
  /** Refused addresses, `target address`. */
  refused: ReadonlySet<string>;
}

/** Every change of a group is out of step for a firewall's round trip; only what lasts is worth an Event. */
const OUT_OF_SYNC_MS = 30_000;

/** Which Events a group's owner should see: transitions, each told once. */
export class GroupEvents {
  readonly #told = new Map<string, Told>();

  /**
   * @param refused addresses that a target refused, with its reason, by `target address`
   * @param now milliseconds of the monotonic clock
   */
  observe(
    uid: string,
    view: GroupStatusView,
    refused: ReadonlyMap<string, string>,
    now: number,
  ): GroupEvent[] {
    const none: ReadonlySet<string> = new Set();
    const told = this.#told.get(uid) ?? { fault: "", outSince: undefined, outOfSync: false, refused: none };
    this.#told.set(uid, told);
    return [...acceptance(told, view), ...synchronization(told, view, now), ...refusals(told, refused)];
  }

  /** Forgets the groups that are not there any more. */
  keep(uids: ReadonlySet<string>): void {
    for (const uid of this.#told.keys()) if (!uids.has(uid)) this.#told.delete(uid);
  }
}

function acceptance(told: Told, { conditions }: GroupStatusView): GroupEvent[] {
  const accepted = conditions.find(({ type }) => type === "Accepted");
  const fault = accepted?.status === "False" ? accepted.message : "";
  if (fault === told.fault) return [];
  told.fault = fault;
  if (fault === "")
    return [{ type: "Normal", reason: "Accepted", message: "the definition is in force again" }];
  return [{ type: "Warning", reason: accepted?.reason ?? "NotAccepted", message: fault }];
}

function synchronization(told: Told, { conditions }: GroupStatusView, now: number): GroupEvent[] {
  const sync = conditions.find(({ type }) => type === "InSync");
  if (sync?.status === "True" || told.fault !== "") {
    const back = told.outOfSync && told.fault === "";
    told.outSince = undefined;
    told.outOfSync = false;
    return back ? [{ type: "Normal", reason: "InSync", message: sync?.message ?? "" }] : [];
  }
  if (sync?.status !== "False") return [];
  told.outSince ??= now;
  if (told.outOfSync || now - told.outSince < OUT_OF_SYNC_MS) return [];
  told.outOfSync = true;
  return [{ type: "Warning", reason: sync.reason, message: sync.message }];
}

function refusals(told: Told, refused: ReadonlyMap<string, string>): GroupEvent[] {
  const fresh = [...refused].filter(([key]) => !told.refused.has(key));
  told.refused = new Set(refused.keys());
  if (fresh.length === 0) return [];
  const message = fresh.map(([key, reason]) => `${key}: ${reason}`).join("; ");
  return [{ type: "Warning", reason: "Refused", message: message.slice(0, 1024) }];
}
