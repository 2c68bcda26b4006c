/** A fault the user can mend: printed as it is, without a stack; the process ends with 2. */
export class UserError extends Error {
  override name = "UserError";
}

/** Any thrown thing in one line, from its name, code and messages only: other fields may hold secrets. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : "unknown failure";
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  const cause = error.cause instanceof Error ? `: ${describeError(error.cause)}` : "";
  return `${error.name}${code}: ${error.message}${cause}`;
}
