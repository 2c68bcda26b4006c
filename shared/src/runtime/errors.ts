import { maskText } from "./secrets.ts";

/** A fault the user can mend: printed as it is, without a stack; the process ends with 2. */
export class UserError extends Error {
  override name = "UserError";
}

const DEPTH = 8;

/**
 * Any thrown thing in one line, from its name, code and messages only: other fields may hold secrets. What looks like
 * a secret in a message is masked.
 */
export function describeError(error: unknown): string {
  return maskText(describe(error, DEPTH)).replaceAll(/\s*\n\s*/g, " ");
}

function describe(error: unknown, depth: number): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : "unknown failure";
  if (depth === 0) return "…";
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  // One per address that was tried, when a host has several; its own message is empty then.
  const several =
    error instanceof AggregateError
      ? error.errors.slice(0, DEPTH).map((each) => `: ${describe(each, depth - 1)}`)
      : [];
  const cause = error.cause instanceof Error ? `: ${describe(error.cause, depth - 1)}` : "";
  const message = error.message === "" ? "" : `: ${error.message}`;
  return `${error.name}${code}${message}${several.join("")}${cause}`;
}
