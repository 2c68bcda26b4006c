import type { z } from "zod";

/** The contract version this build writes, and the highest it reads. Version N and N−1 are read. */
export const CONTRACT_VERSION = 1;
const LOWEST_VERSION = 1;
/** As many are named: a message may hold thousands of wrong entries, and this goes into logs and statuses. */
const MOST_FAULTS = 5;

export type UnreadableReason = "not-json" | "newer-version" | "older-version" | "invalid" | "wrong-subject";

/** A message that must not be half-read: its cluster is unverified until its watcher publishes again. */
export class UnreadableMessage extends Error {
  override name = "UnreadableMessage";
  readonly reason: UnreadableReason;
  constructor(reason: UnreadableReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Reads one body of the bus. Version first: of a newer message nothing else is looked at.
 *
 * @throws UnreadableMessage
 */
export function readBody<T>(what: string, data: Uint8Array, schema: z.ZodType<T>): T {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    throw new UnreadableMessage("not-json", `${what}: not JSON in UTF-8`);
  }
  const version = typeof body === "object" && body !== null && "v" in body ? body.v : undefined;
  if (typeof version === "number" && version > CONTRACT_VERSION) {
    throw new UnreadableMessage(
      "newer-version",
      `${what}: contract version ${version}, this build reads up to ${CONTRACT_VERSION}; upgrade the pusher first`,
    );
  }
  if (typeof version === "number" && version < LOWEST_VERSION) {
    throw new UnreadableMessage(
      "older-version",
      `${what}: contract version ${version}, this build reads from ${LOWEST_VERSION}; upgrade the watcher`,
    );
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
    const more = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : "";
    throw new UnreadableMessage("invalid", `${what}: ${faults.slice(0, MOST_FAULTS).join("; ")}${more}`);
  }
  return parsed.data;
}

export function writeBody(body: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}
