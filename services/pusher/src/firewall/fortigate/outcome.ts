import type { Outcome, RefusalReason, RetryReason } from "../firewall.ts";
import type { TransportError } from "./transport.ts";
import type { Reply } from "./wire/envelope.ts";
import { classify, explain, type RefusalClass } from "./wire/refusal.ts";

export type Again = Extract<Outcome, { result: "retry" }>;

export const done = (changed: boolean): Outcome => ({ result: "done", changed });

export const again = (reason: RetryReason, message: string, reread = false): Again => ({
  result: "retry",
  reason,
  message,
  reread,
});

export const refused = (reason: RefusalReason, message: string, blame: readonly string[]): Outcome => ({
  result: "refused",
  reason,
  message,
  blame,
});

/** No answer came. */
export function reasonOf({ kind }: TransportError): RetryReason {
  if (kind === "timeout") return "timeout";
  return kind === "aborted" ? "unclear" : "unreachable";
}

const RETRIES: Partial<Readonly<Record<RefusalClass, RetryReason>>> = {
  unauthorized: "unauthorized",
  busy: "busy",
  // Something the call needs is gone: a fresh look at the device, then a new plan.
  missing: "missing-reference",
  reference: "missing-reference",
};

const REFUSALS: Partial<Readonly<Record<RefusalClass, RefusalReason>>> = {
  forbidden: "forbidden",
  "in-use": "in-use",
  full: "full",
  clash: "collision",
  invalid: "invalid",
  dependency: "invalid",
};

/** Reason of a reply that is not ok, when nothing more is known than the reply. */
export function reasonOfReply(reply: Reply): RetryReason | RefusalReason {
  const kind = classify(reply);
  return RETRIES[kind] ?? REFUSALS[kind] ?? "other";
}

/**
 * What a reply that is not ok means for a step, by its class.
 * @param what the step, in words
 */
export function outcomeOf(reply: Reply, what: string, blame: readonly string[], vdom: string): Outcome {
  const kind = classify(reply);
  const message = `${what}: ${explained(reply, vdom)}`;
  const retry = RETRIES[kind];
  if (retry !== undefined) return again(retry, message, retry === "missing-reference");
  return refused(REFUSALS[kind] ?? "other", message, blame);
}

/** The same where nothing that it needs is missing: another try would be refused again, and again. */
export function refusalOf(reply: Reply, what: string, blame: readonly string[], vdom: string): Outcome {
  const outcome = outcomeOf(reply, what, blame, vdom);
  const isOver = outcome.result === "retry" && outcome.reason === "missing-reference";
  return isOver ? refused("invalid", outcome.message, blame) : outcome;
}

/** One line, with what to do where that can be said. */
export function explained(reply: Reply, vdom: string): string {
  const line = explain(reply);
  if (classify(reply) !== "forbidden") return line;
  return `${line}; the API user needs read-write on firewall addresses (fwgrp-permission address) and VDOM ${vdom} in its scope`;
}
