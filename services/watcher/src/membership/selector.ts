import { own } from "@podgate/shared/contract/own";
import type { LabelRequirement, LabelSelector } from "./group-definition.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy a selector, by Kubernetes' rules: NotIn and DoesNotExist also match a missing key. */
export function matches(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (own(labels, key) !== value) return false;
  return (selector.matchExpressions ?? []).every((requirement) => satisfies(requirement, labels));
}

function satisfies({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean {
  const value = own(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

/**
 * Everything that is wrong with a `metav1.LabelSelector`, each with its path, the value and the remedy; empty =
 * right. The API server checks the same, but a static list comes from a file.
 */
export function selectorFaults(value: unknown, path: string): string[] {
  if (value === undefined) return [];
  if (!isObject(value)) return [`${path}: must be an object with matchLabels or matchExpressions`];
  const faults: string[] = [];
  for (const field of Object.keys(value)) {
    if (field !== "matchLabels" && field !== "matchExpressions")
      faults.push(`${path}.${field}: is no field of a selector; use matchLabels or matchExpressions`);
  }
  const labels = value["matchLabels"] ?? {};
  if (!isObject(labels)) faults.push(`${path}.matchLabels: must map label keys to values`);
  else
    for (const [key, entry] of Object.entries(labels))
      faults.push(...labelFaults(key, entry, `${path}.matchLabels`));
  const expressions = value["matchExpressions"] ?? [];
  if (!Array.isArray(expressions)) faults.push(`${path}.matchExpressions: must be a list`);
  else
    expressions.forEach((entry, at) =>
      faults.push(...requirementFaults(entry, `${path}.matchExpressions[${at}]`)),
    );
  return faults;
}

function requirementFaults(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path}: must be an object with key and operator`];
  const { key, operator } = value;
  // The API server writes a list that is not there as null.
  const values = value["values"] ?? [];
  const faults = keyFaults(key, `${path}.key`);
  const needs = operator === "In" || operator === "NotIn";
  if (typeof operator !== "string" || !OPERATORS.includes(operator))
    return [...faults, `${path}.operator: ${quoted(operator)} must be one of ${OPERATORS.join(", ")}`];
  if (!Array.isArray(values)) return [...faults, `${path}.values: must be a list of label values`];
  if (needs && values.length === 0) faults.push(`${path}.values: ${operator} needs at least one value`);
  if (!needs && values.length > 0) faults.push(`${path}.values: must be empty with ${operator}`);
  for (const entry of values)
    if (!isValue(entry)) faults.push(`${path}.values: ${quoted(entry)} is no label value (${VALUE_RULE})`);
  return faults;
}

function labelFaults(key: string, value: unknown, path: string): string[] {
  const faults = keyFaults(key, path);
  if (!isValue(value)) faults.push(`${path}.${key}: ${quoted(value)} is no label value (${VALUE_RULE})`);
  return faults;
}

/** A value as a message shows it, whatever it is. */
export const quoted = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

const VALUE_RULE = "at most 63 of A-Z, a-z, 0-9, -, _ and ., with a letter or digit at both ends";
const KEY_RULE = "an optional domain and a slash, then 1 to 63 of A-Z, a-z, 0-9, -, _ and .";
const keyFaults = (key: unknown, path: string): string[] =>
  typeof key === "string" && KEY.test(key) ? [] : [`${path}: ${quoted(key)} is no label key (${KEY_RULE})`];
const isValue = (value: unknown): boolean => typeof value === "string" && VALUE.test(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
