import { authenticate, type Verdict } from "./authentication.ts";
import { dispatch } from "./dispatch.ts";
import type { Fault } from "./fault.ts";
import { holdTime } from "./latency.ts";
import {
  htmlReply,
  jsonReply,
  methodOf,
  targetOf,
  type Answer,
  type DeviceRequest,
  type Target,
} from "./request.ts";
import type { LogEntry } from "./request-log.ts";
import { State } from "./state.ts";
import { tableOf } from "./tables/registry.ts";
import { tableId } from "./table.ts";
import type { Body } from "./write.ts";

/** What is decided when a request arrives: who asks, what strikes it, how long it takes. */
export interface Admission {
  readonly id: number;
  readonly method: string;
  readonly target: Target;
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
  /** It takes the configuration lock: one at a time. */
  readonly locks: boolean;
  /** Milliseconds until it is done. */
  readonly hold: number;
}

/** The FortiGate: a state machine. No I/O, no clock, no chance: what happens depends on what came in, and when. */
export class Device extends State {
  readonly #listeners = new Set<(entry: LogEntry) => void>();

  /** Told of every request once it is done. @returns stops it */
  subscribe(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** First half: who asks, and how long it will take. Counts wrong tokens, uses up faults. */
  admit(request: DeviceRequest, now: number): Admission {
    const target = targetOf(request.url);
    const method = methodOf(request);
    const isApi = target.segments[0] === "api";
    const urlToken = this.switches.urlToken ?? this.profile.urlToken;
    const verdict: Verdict = isApi
      ? authenticate(request, target.query, this.users, this.lockout, urlToken, now)
      : { refused: "unauthorized" };
    const path = pathOf(target);
    const vdom = target.query.get("vdom") ?? this.settings.managementVdom;
    const faults = this.faults.strike({ method, path, vdom });
    const isWrite = method !== "GET" && "user" in verdict;
    const rows = this.#rowsAt(target, vdom);
    const slow = faults.reduce((sum, fault) => sum + (fault.kind === "slow" ? (fault.ms ?? 0) : 0), 0);
    const hold = "user" in verdict ? holdTime(this.latency, isWrite, rows) + slow : slow;
    return { id: this.log.takeId(), method, target, verdict, faults, locks: isWrite, hold };
  }

  /** Second half: does it, at the moment `now`, and answers. */
  handle(request: DeviceRequest, now: number, admission: Admission = this.admit(request, now)): Answer {
    const { faults } = admission;
    const find = (kind: Fault["kind"]): Fault | undefined => faults.find((fault) => fault.kind === kind);
    const before = find("status-before");
    const isDown = now < this.downUntil;
    if (before !== undefined || isDown || find("reset-before") !== undefined) {
      const answer: Answer =
        before === undefined || isDown ? { kind: "cut" } : htmlReply(before.status ?? 503);
      this.#note(request, now, admission, answer, { status: 0, changed: false, error: 0 });
      return answer;
    }
    const done = this.#perform(request, now, admission);
    const after = find("status-after");
    let answer = done.answer;
    if (after !== undefined) answer = htmlReply(after.status ?? 503);
    if (find("reset-after") !== undefined) answer = { kind: "cut" };
    if (find("reply-lost") !== undefined) answer = { kind: "hang" };
    this.#note(request, now, admission, answer, done);
    return answer;
  }

  #perform(request: DeviceRequest, now: number, admission: Admission): Done {
    const { target, verdict, method } = admission;
    const [first = "", second, kind = ""] = target.segments;
    if (first !== "api") return plain(loginPage(first, method));
    if ("refused" in verdict) {
      const locked = verdict.refused === "locked";
      const status = locked ? this.switches.lockedStatus : 401;
      return plain(htmlReply(status, locked ? {} : { "www-authenticate": 'Bearer error="invalid_token"' }));
    }
    const { maxBody } = this.switches;
    if (maxBody > 0 && request.body.length > maxBody) return plain(htmlReply(413));
    if (second !== "v2" || (kind !== "cmdb" && kind !== "monitor")) return plain(htmlReply(404));
    const body = method === "POST" || method === "PUT" ? parseBody(request.body) : {};
    const isBad = body === null || target.broken;
    this.chronicle.begin(admission.id, now);
    const header = Number(request.headers["x-transaction-id"] ?? Number.NaN);
    const outcomes = this.#vdomsOf(target.query).map((vdom) =>
      dispatch(this, {
        kind,
        method,
        segments: target.segments.slice(3),
        query: target.query,
        body: isBad ? null : body,
        user: verdict.user,
        vdom,
        now,
        faults: admission.faults,
        transaction: Number.isNaN(header) ? undefined : header,
      }),
    );
    this.chronicle.end();
    const [single] = outcomes;
    const isArray = isMany(target.query);
    const status = Math.max(...outcomes.map((outcome) => outcome.status));
    return {
      answer: jsonReply(status, isArray ? outcomes.map((outcome) => outcome.body) : single?.body),
      status,
      changed: outcomes.some((outcome) => outcome.changed),
      error: outcomes.find((outcome) => outcome.error !== 0)?.error ?? 0,
    };
  }

  #vdomsOf(query: URLSearchParams): string[] {
    const named = query.getAll("vdom").flatMap((value) => value.split(","));
    if (named.includes("*")) return this.configuration.names();
    return named.length === 0 || named[0] === "" ? [this.settings.managementVdom] : named;
  }

  #rowsAt(target: Target, vdom: string): number {
    const [, , kind, path = "", name = ""] = target.segments;
    const table = kind === "cmdb" ? tableOf(`${path}.${name}`) : undefined;
    if (table?.mkey === undefined) return 0;
    return this.configuration.vdom(vdom)?.rows(tableId(table)).size ?? 0;
  }

  #note(
    request: DeviceRequest,
    now: number,
    admission: Admission,
    answer: Answer,
    done: { status: number; changed: boolean; error: number },
  ): void {
    const { id, method, target, verdict, faults } = admission;
    const query = new URLSearchParams(target.query);
    query.delete("access_token");
    const size = Buffer.byteLength(request.body);
    const entry: LogEntry = {
      id,
      at: request.arrivedAt ?? now,
      monotonic: request.monotonic ?? now,
      method,
      path: pathOf(target),
      vdom: target.query.get("vdom") ?? this.settings.managementVdom,
      query: query.toString(),
      bodySize: size,
      ...(method === "GET" || size > this.loggedBody ? {} : { body: readable(request.body) }),
      status: answer.kind === "reply" ? answer.status : done.status,
      error: done.error,
      changed: done.changed,
      appliedAt: now,
      source: request.source,
      userAgent: request.headers["user-agent"] ?? "",
      token: "user" in verdict ? verdict.user.name : "",
      faults: faults.map((fault) => fault.kind),
      outcome: answer.kind,
    };
    this.log.add(entry);
    for (const listener of this.#listeners) listener(entry);
  }
}

interface Done {
  readonly answer: Answer;
  readonly status: number;
  readonly changed: boolean;
  readonly error: number;
}

function plain(answer: Answer): Done {
  return { answer, status: answer.kind === "reply" ? answer.status : 0, changed: false, error: 0 };
}

/** The log says `cmdb/…`, not `api/v2/cmdb/…`. */
function pathOf({ segments }: Target): string {
  const [first, second, ...rest] = segments;
  return first === "api" && second === "v2" ? rest.join("/") : segments.join("/");
}

/** Several VDOMs are answered with an array, also if it has one element. */
function isMany(query: URLSearchParams): boolean {
  const named = query.getAll("vdom");
  return (
    named.length > 1 ||
    named.some((value) => value === "*" || value.includes(",")) ||
    query.get("global") === "1"
  );
}

/** @returns null where it is no JSON object. `{"json": {…}}` is what old clients send. */
function parseBody(text: string): Body | null {
  if (text === "") return {};
  const value = readable(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const wrapped = (value as { json?: unknown }).json;
  const isWrapped = Object.keys(value).length === 1 && typeof wrapped === "object" && wrapped !== null;
  return (isWrapped ? wrapped : value) as Body;
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Logins with a password are not simulated: the form says no. */
function loginPage(first: string, method: string): Answer {
  if (first === "logincheck" && method === "POST") {
    return { kind: "reply", status: 200, headers: { "content-type": "text/plain" }, body: "0" };
  }
  return first === "logincheck" || first === "logout" || first === "" ? htmlReply(200) : htmlReply(404);
}
