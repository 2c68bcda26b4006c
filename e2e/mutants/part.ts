const DAY_MS = 86_400_000;
/** So many a part, as `auto` cuts them: a few minutes. */
const PER_PART = 12;

/**
 * Part k of n of a list, each thing in exactly one part. `auto` takes another part each day, and all of them in turn.
 *
 * @param now milliseconds since 1970
 * @throws on anything but `k/n` with 1 ≤ k ≤ n, and `auto`
 */
export function partOf<T>(all: readonly T[], part: string, now: number): T[] {
  const parts = Math.max(1, Math.ceil(all.length / PER_PART));
  if (part === "auto") return cut(all, Math.floor(now / DAY_MS) % parts, parts);
  const [, k, n] = /^(\d+)\/(\d+)$/.exec(part) ?? [];
  if (k === undefined || Number(k) < 1 || Number(k) > Number(n))
    throw new Error(`--part ${part}: give k/n with k from 1 to n, as 2/5, or auto`);
  return cut(all, Number(k) - 1, Number(n));
}

const cut = <T>(all: readonly T[], at: number, parts: number): T[] =>
  all.filter((_, index) => index % parts === at);
