/** What a reply says, whatever its shape was. */
export interface Reply {
  /** Of the status line: envelopes often have none of their own. */
  readonly status: number;
  readonly ok: boolean;
  /** FortiOS CLI code, negative. */
  readonly code?: number;
  /** What the CLI said, one line. */
  readonly cli?: string;
  /** Not JSON: a page of the web server, or of somebody in between. */
  readonly isPage: boolean;
  readonly serial?: string;
  /** `7.4.5` */
  readonly version?: string;
  readonly vdom?: string;
  readonly results?: unknown;
  /** Rows after the filter; absent on 6.2. */
  readonly matched?: number;
  /** Of the table, at the moment of the reply. */
  readonly revision?: string;
  /** The device says that there are more rows than it gives. */
  readonly isCut?: boolean;
  /** A write that changed nothing says false. */
  readonly changed?: boolean;
}

type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const CODE = /Return code (-\d+)/;
const LINE_LENGTH = 200;

/**
 * @param vdom whose envelope is taken when there is an array of them (one per VDOM)
 */
export function parseReply(status: number, body: string, vdom: string): Reply {
  const envelope = pick(parsed(body), vdom);
  if (envelope === undefined) return { status, ok: false, isPage: true };
  const own = envelope["http_status"];
  // In an array each VDOM has a status of its own; the line has one for all.
  const effective = status === 200 && typeof own === "number" ? own : status;
  const code = codeOf(envelope);
  const cli = line(envelope["cli_error"]);
  return {
    status: effective,
    ok: effective === 200 && envelope["status"] !== "error",
    isPage: false,
    ...(code === undefined ? {} : { code }),
    ...(cli === undefined || cli === "" ? {} : { cli }),
    ...kept("serial", line(envelope["serial"])),
    ...kept("version", line(envelope["version"])?.replace(/^v/, "")),
    ...kept("vdom", line(envelope["vdom"])),
    ...kept("revision", text(envelope["revision"])),
    ...(envelope["limit_reached"] === true ? { isCut: true } : {}),
    ...kept("matched", count(envelope["matched_count"])),
    ...(typeof envelope["revision_changed"] === "boolean" ? { changed: envelope["revision_changed"] } : {}),
    ...("results" in envelope ? { results: envelope["results"] } : {}),
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function pick(value: unknown, vdom: string): Json | undefined {
  if (!Array.isArray(value)) return isObject(value) ? value : undefined;
  const envelopes = value.filter(isObject);
  return (
    envelopes.find((envelope) => envelope["vdom"] === vdom) ??
    (envelopes.length === 1 ? envelopes[0] : undefined)
  );
}

function codeOf(envelope: Json): number | undefined {
  const given = envelope["error"];
  if (typeof given === "number") return given;
  const match = CODE.exec(text(envelope["cli_error"]) ?? "");
  return match === null ? undefined : Number(match[1]);
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
/** What goes into messages for people. */
const line = (value: unknown): string | undefined =>
  text(value)?.replace(/\s+/g, " ").trim().slice(0, LINE_LENGTH);
const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) ? (value as number) : undefined;

function kept<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
