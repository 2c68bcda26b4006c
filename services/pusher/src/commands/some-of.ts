/** More than these are not named, only counted. */
export const NAMED = 10;

export const someOf = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(", ") + (names.length > NAMED ? `, … (${names.length})` : "");
