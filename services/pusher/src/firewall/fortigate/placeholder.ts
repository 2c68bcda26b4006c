import type { Names } from "./naming.ts";

/** The predefined address that matches nothing, in both families: the usual filler of a group that can't be empty. */
export const NONE = "none";

/** What stands in a group for "no member". */
export function isPlaceholder(names: Names, member: string): boolean {
  return member === NONE || member === names.placeholder;
}
