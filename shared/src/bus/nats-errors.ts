import { errors } from "@nats-io/transport-node";
import { BusError, type BusErrorKind } from "./bus.ts";

/** `error` of a JetStream answer; codes from nats-server 2.15 `server/errors.json`. */
export interface ApiError {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

const KINDS: Readonly<Record<number, BusErrorKind>> = {
  10071: "wrong-last-sequence",
  10164: "wrong-last-sequence",
  10059: "no-stream",
  10060: "no-stream",
  10166: "unfit-stream",
  10054: "too-large",
  10002: "full",
  10023: "full",
  10047: "full",
  10077: "full",
  10122: "full",
};

/** What a JetStream answer's `error` means for Podgate. */
export function apiError(error: ApiError, what: string): BusError {
  const text = error.description ?? "no description";
  const kind = KINDS[error.err_code ?? 0] ?? (error.code === 503 ? "unknown" : "other");
  return new BusError(kind, `${what}: ${text} (${error.err_code ?? error.code ?? "no code"})`);
}

/** Makes any error of the client library anew: theirs hold the connection's options, and so the password. */
export function busError(error: unknown, what: string): BusError {
  if (error instanceof BusError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof errors.PermissionViolationError) {
    return new BusError("forbidden", `NATS forbids ${cause.operation} on ${cause.subject}`);
  }
  if (cause instanceof errors.NoRespondersError) {
    return new BusError("no-stream", `${what}: nobody answers (no such stream, or JetStream is not ready)`);
  }
  if (cause instanceof errors.TimeoutError) return new BusError("unknown", `${what}: no answer in time`);
  if (cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError) {
    return new BusError("forbidden", `NATS refuses these credentials: ${cause.message}`);
  }
  if (cause instanceof Error && cause.message.includes("max_payload")) {
    return new BusError("too-large", `${what}: larger than the server's max_payload`);
  }
  return new BusError("unknown", `${what}: ${cause instanceof Error ? cause.message : "failed"}`);
}
