import { describeError } from "./errors.ts";
import { isSecretName, maskText } from "./secrets.ts";

const DEPTH = 8;

/**
 * A copy that can be shown: fields named like secrets are masked at any depth, texts where they look like one, errors
 * cut to name, code and messages, bytes to their number.
 */
export function masked(value: unknown, depth = DEPTH): unknown {
  if (typeof value === "string") return maskText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "no date" : value.toISOString();
  if (value instanceof URL) return maskText(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${value.byteLength} bytes`;
  if (depth === 0) return "…";
  if (value instanceof Map) return masked(Object.fromEntries(value), depth);
  if (value instanceof Set) return masked([...value], depth);
  if (Array.isArray(value)) return value.map((entry) => masked(entry, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      isSecretName(name) && entry !== undefined ? "***" : masked(entry, depth - 1),
    ]),
  );
}
