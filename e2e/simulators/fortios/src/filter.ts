import type { Row, Value } from "./field.ts";
import type { Switches } from "./switches.ts";

interface Condition {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

const CONDITION = /^([^=!<>]+?)(==|!=|=@|!@|=\*|!\*|<=|>=|<|>)([\s\S]*)$/;

/** Splits at commas that have no backslash before them, then takes the backslashes out. */
function alternatives(filter: string): string[] {
  return filter.split(/(?<!\\),/).map((part) => part.replace(/\\(.)/g, "$1"));
}

function parse(filter: string): Condition[] {
  const conditions: Condition[] = [];
  for (const part of alternatives(filter)) {
    const match = CONDITION.exec(part);
    const last = conditions.at(-1);
    if (match !== null) {
      conditions.push({ key: match[1] ?? "", operator: match[2] ?? "", value: match[3] ?? "" });
    } else if (last !== undefined) {
      conditions.push({ ...last, value: part });
    } else {
      conditions.push({ key: part, operator: "?", value: "" });
    }
  }
  return conditions;
}

/** The texts a condition may match: the value, or the keys of the rows of a table. `member.name` works, too. */
function texts(row: Row, key: string): string[] {
  const [first = "", ...rest] = key.split(".");
  const value: Value | undefined = row[first];
  if (value === undefined) return [];
  if (typeof value !== "object") return [String(value)];
  return value.flatMap((child) => {
    const inner = rest.length > 0 ? rest.join(".") : Object.keys(child)[0];
    return inner === undefined ? [] : texts(child, inner);
  });
}

function holds(row: Row, { key, operator, value }: Condition, insensitive: boolean): boolean {
  const found = texts(row, key);
  const fold = (text: string): string => (insensitive ? text.toLowerCase() : text);
  const lower = value.toLowerCase();
  switch (operator) {
    case "==":
      return found.some((text) => fold(text) === fold(value));
    case "!=":
      return !found.some((text) => fold(text) === fold(value));
    case "=@":
      return found.some((text) => fold(text).includes(fold(value)));
    case "!@":
      return !found.some((text) => fold(text).includes(fold(value)));
    case "=*":
      return found.some((text) => text.toLowerCase() === lower);
    case "!*":
      return !found.some((text) => text.toLowerCase() === lower);
    case "<":
      return found.some((text) => order(text, value) < 0);
    case "<=":
      return found.some((text) => order(text, value) <= 0);
    case ">":
      return found.some((text) => order(text, value) > 0);
    case ">=":
      return found.some((text) => order(text, value) >= 0);
    default:
      return false;
  }
}

export function order(a: string, b: string): number {
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * `filter=key op value`: commas within one are alternatives (FNDN: of one key and operator), several are all to hold.
 * `\` before `,` `.` or `\` makes it a plain character.
 */
export function matcher(filters: readonly string[], switches: Switches): (row: Row) => boolean {
  const all = filters.filter((filter) => filter !== "").map(parse);
  const insensitive = switches.filterCase === "insensitive";
  return (row) => all.every((any) => any.some((condition) => holds(row, condition, insensitive)));
}
