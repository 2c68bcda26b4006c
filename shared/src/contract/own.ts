/**
 * The entry of that name, and undefined where there is none: `constructor` and `toString` are legal names of groups,
 * clusters and labels, and every object seems to have them.
 */
export const own = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
