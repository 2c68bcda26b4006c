/**
 * The verdict of a scenario: was the firewall ever wrong? It compares two histories, that of the pods as the API
 * server told it and that of a group's members as the firewall's request log tells it, and shares no code with
 * the product.
 */

/** Times are milliseconds since 1970 on one machine's clock. */
export interface Interval {
  readonly from: number;
  /** Infinity = still. */
  readonly to: number;
}

export interface Sighting {
  readonly at: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: PodObject;
}

/** What the judge reads of a pod. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly containerStatuses?: readonly { readonly state?: { readonly terminated?: object } }[];
  };
}

export interface Membership {
  readonly at: number;
  /** Addresses in the group from this moment on, resolved through its children. */
  readonly members: ReadonlySet<string>;
  /** It came to be so by others than the product: an administrator, a reboot. */
  readonly byOthers?: boolean;
}

export interface Verdict {
  readonly wrong: readonly string[];
  /** Milliseconds an address stayed after it should have gone, and was missing after it should have come. */
  readonly lateRemovals: readonly number[];
  readonly lateAdditions: readonly number[];
}

/** When each address belonged in a group, by the pods that held it (any of them is enough). */
export function rightful(
  sightings: readonly Sighting[],
  selects: (pod: PodObject) => boolean,
): Map<string, Interval[]> {
  const open = new Map<string, Map<string, number>>();
  const result = new Map<string, Interval[]>();
  const holders = new Map<string, Set<string>>();
  for (const { at, type, object } of sightings) {
    const uid = object.metadata.uid;
    const now = type === "DELETED" ? new Set<string>() : addressesOf(object, selects);
    for (const address of new Set([...now, ...(open.get(uid)?.keys() ?? [])])) {
      const pods = holders.get(address) ?? new Set<string>();
      holders.set(address, pods);
      const before = pods.size;
      if (now.has(address)) pods.add(uid);
      else pods.delete(uid);
      track(open, uid, address, now.has(address), at);
      if (before === 0 && pods.size === 1) push(result, address, { from: at, to: Number.POSITIVE_INFINITY });
      if (before === 1 && pods.size === 0) close(result, address, at);
    }
  }
  return result;
}

function addressesOf(pod: PodObject, selects: (pod: PodObject) => boolean): Set<string> {
  const { status, spec, metadata } = pod;
  if (spec?.hostNetwork === true || !selects(pod)) return new Set();
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return new Set();
  const containers = status?.containerStatuses ?? [];
  const stopped = containers.length > 0 && containers.every(({ state }) => state?.terminated !== undefined);
  if (metadata.deletionTimestamp !== undefined && stopped) return new Set();
  return new Set((status?.podIPs ?? []).map(({ ip }) => ip));
}

function track(
  open: Map<string, Map<string, number>>,
  uid: string,
  address: string,
  holds: boolean,
  at: number,
): void {
  const addresses = open.get(uid) ?? new Map<string, number>();
  open.set(uid, addresses);
  if (holds) addresses.set(address, at);
  else addresses.delete(address);
}

function push(into: Map<string, Interval[]>, address: string, interval: Interval): void {
  const list = into.get(address) ?? [];
  into.set(address, list);
  list.push(interval);
}

function close(into: Map<string, Interval[]>, address: string, at: number): void {
  const list = into.get(address);
  const last = list?.pop();
  if (list !== undefined && last !== undefined) list.push({ from: last.from, to: at });
}

/** When each address was a member on the firewall. */
export function held(history: readonly Membership[]): Map<string, Interval[]> {
  const result = new Map<string, Interval[]>();
  let before: ReadonlySet<string> = new Set();
  for (const { at, members } of history) {
    for (const address of members)
      if (!before.has(address)) push(result, address, { from: at, to: Number.POSITIVE_INFINITY });
    for (const address of before) if (!members.has(address)) close(result, address, at);
    before = members;
  }
  return result;
}

export interface JudgeOptions {
  /** How long the firewall may lag behind the cluster, in milliseconds. */
  readonly boundMs: number;
  /** How much later than the watcher the judge's own watch may see a change. */
  readonly slackMs?: number;
  /** The end of the scenario. */
  readonly until: number;
  /** How late the firewall was is told of what changed after this; everything is judged. Default: from the start. */
  readonly since?: number;
  /** Addresses in the group that are not Kubernetes' (an administrator's own). */
  readonly foreign?: ReadonlySet<string>;
}

export function judge(
  group: string,
  sightings: readonly Sighting[],
  selects: (pod: PodObject) => boolean,
  history: readonly Membership[],
  options: JudgeOptions,
): Verdict {
  const { boundMs, slackMs = 1000, until, since = 0, foreign = new Set() } = options;
  const right = rightful(sightings, selects);
  const actual = held(history);
  /** What others did is not judged, only how long it lasted. */
  const others = new Set(history.flatMap(({ at, byOthers }) => (byOthers === true ? [at] : [])));
  const wrong: string[] = [];
  const lateRemovals: number[] = [];
  const lateAdditions: number[] = [];
  for (const [address, intervals] of actual) {
    if (foreign.has(address)) continue;
    checkRemovals(address, intervals);
    for (const { from, to } of intervals) {
      if (others.has(from)) {
        checkStranger(address, from, to);
        continue;
      }
      const cause = (right.get(address) ?? []).findLast((r) => r.from - slackMs <= from);
      const late = cause === undefined ? 0 : from - cause.to;
      if (cause === undefined)
        wrong.push(`${group}: ${address} was added at ${iso(from)} though no pod held it`);
      else if (late > boundMs)
        wrong.push(`${group}: ${address} was added at ${iso(from)}, ${late} ms after it was freed`);
      else checkEnd(address, from, to);
    }
  }
  for (const [address, intervals] of right) {
    for (const interval of intervals) checkStart(address, interval);
  }
  return { wrong, lateRemovals, lateAdditions };

  /**
   * The firewall acts on what was so at some moment before, no longer ago than the bound, and never on something older
   * than what it has acted on already: each change is explained by the earliest moment that it can be of.
   */
  function checkRemovals(address: string, intervals: readonly Interval[]): void {
    const spans = right.get(address) ?? [];
    let known = Number.NEGATIVE_INFINITY;
    for (const { from, to } of intervals) {
      const seen = earliestHeld(spans, Math.max(known, from - boundMs));
      // An addition that nothing explains is told below.
      if (!others.has(from) && seen <= from + slackMs) known = seen;
      if (to >= until || others.has(to)) continue;
      const free = earliestFree(spans, Math.max(known, to - boundMs));
      if (free > to + slackMs)
        wrong.push(`${group}: ${address} was removed at ${iso(to)} while a pod held it`);
      else known = free;
    }
  }

  /** What others put in is gone within the bound, unless a pod holds it. */
  function checkStranger(address: string, from: number, to: number): void {
    const spans = right.get(address) ?? [];
    if (spans.some((span) => span.from - slackMs <= from && from < span.to)) {
      checkEnd(address, from, to);
      return;
    }
    const next = spans.find((span) => span.from > from)?.from ?? Number.POSITIVE_INFINITY;
    const stayed = Math.min(to, until, next) - from;
    if (stayed > boundMs)
      wrong.push(`${group}: ${address}, put in by somebody at ${iso(from)}, stayed ${stayed} ms`);
  }

  /** What others took out is there again within the bound, if a pod still holds it then. */
  function checkLoss(address: string, at: number): void {
    const due = at + boundMs;
    const isDue = (right.get(address) ?? []).some((span) => span.from <= at && span.to > due) && until > due;
    const back = (actual.get(address) ?? []).find(({ from }) => from >= at)?.from;
    if (back !== undefined && at >= since) lateAdditions.push(back - at);
    if (isDue && (back === undefined || back > due))
      wrong.push(`${group}: ${address}, taken out by somebody at ${iso(at)}, was not back in ${boundMs} ms`);
  }

  /** What is not held any more goes within the bound, unless the address was given out again since. */
  function checkEnd(address: string, from: number, to: number): void {
    const spans = right.get(address) ?? [];
    const end = Math.min(to, until);
    if (others.has(to)) checkLoss(address, to);
    for (const [at, span] of spans.entries()) {
      const again = spans[at + 1]?.from ?? Number.POSITIVE_INFINITY;
      if (span.to >= end || again - slackMs <= from) continue;
      if (end <= again && span.to >= since) lateRemovals.push(end - span.to);
      const stayed = Math.min(end, again) - span.to;
      if (stayed > boundMs) wrong.push(`${group}: ${address} stayed ${stayed} ms after it was freed`);
    }
  }

  function checkStart(address: string, interval: Interval): void {
    const due = interval.from + boundMs;
    const members = (actual.get(address) ?? []).filter(({ from, to }) => from <= due && to > interval.from);
    const start = members[0]?.from;
    const isNew = interval.from >= since && start !== undefined && start > interval.from;
    if (isNew && start < interval.to) lateAdditions.push(start - interval.from);
    if (interval.to < due || until < due) return;
    const needed = Math.max(interval.from, due - slackMs);
    if (!members.some(({ to }) => to > needed))
      wrong.push(
        `${group}: ${address} was missing ${boundMs} ms after a pod got it at ${iso(interval.from)}`,
      );
  }
}

/** The first moment from `at` on at which a pod held it. */
function earliestHeld(spans: readonly Interval[], at: number): number {
  const span = spans.find(({ to }) => to > at);
  return span === undefined ? Number.POSITIVE_INFINITY : Math.max(at, span.from);
}

/** The first moment from `at` on at which no pod held it. */
function earliestFree(spans: readonly Interval[], at: number): number {
  return spans.find(({ from, to }) => from <= at && at < to)?.to ?? at;
}

const iso = (at: number): string => (Number.isFinite(at) ? new Date(at).toISOString() : "never");
