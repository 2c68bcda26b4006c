/**
 * The name that was probably meant: the one with the fewest changed letters, at most one in three and two in all. A
 * prefix that all share is not counted.
 */
export function nearest(given: string, names: Iterable<string>, prefix = ""): string | undefined {
  let best: string | undefined;
  let least = Math.min(2, Math.floor((given.length - prefix.length) / 3)) + 1;
  for (const name of names) {
    const changes = distance(given.toLowerCase(), name.toLowerCase());
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
