import fc from "fast-check";

/** Keys that an object has without having them, and such that look like a path. */
const NASTY_KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "a.b",
  "[0]",
  "",
  " ",
];

const NASTY_TEXTS = [
  "",
  " ",
  "\0",
  "null",
  "-1",
  "1e999",
  "../../etc/passwd",
  "10.0.0.1/0",
  "0.0.0.0",
  "::",
  "*",
  ">",
  "a\nb",
  "\u202Egnp.exe",
  "\uD800",
  "${x}",
  "'; --",
  "<script>",
  "x".repeat(100_000),
];

const NASTY_NUMBERS = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  -1,
  0.1,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e308,
];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** JSON so deep that a careless recursion runs out of stack: text, because most that could print a value would, too. */
export const deepJson = (depth = 20_000): string => "[".repeat(depth) + "]".repeat(depth);

const deep: fc.Arbitrary<unknown> = fc
  .constant(100)
  .map((depth) => JSON.parse(`${'{"x":['.repeat(depth)}${"]}".repeat(depth)}`) as unknown);

const key = fc.oneof(fc.constantFrom(...NASTY_KEYS), fc.string({ unit: "binary", maxLength: 8 }));

/** Keys set as JSON.parse sets them: `__proto__` becomes a field of its own. */
function mapping(entries: readonly (readonly [string, unknown])[]): object {
  const result = {};
  for (const [name, value] of entries)
    Object.defineProperty(result, name, { value, enumerable: true, writable: true, configurable: true });
  return result;
}

/** Anything JSON can say, and the numbers that only YAML can. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: nastyText, weight: 3 },
  { arbitrary: fc.constantFrom<unknown>(...NASTY_NUMBERS, null, true, false), weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 2 },
  {
    arbitrary: fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 1 })), { maxLength: 4 }).map(mapping),
    weight: 2,
  },
  { arbitrary: fc.array(nastyText, { maxLength: 4 }), weight: 1 },
  { arbitrary: deep, weight: 1 },
);

/** Every place in a JSON value, as paths; the whole is the empty one. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inside =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, each]) => places(each, [...path, name]))
      : [];
  return [path, ...inside];
}

/** A copy of the value with something else at a place. */
export function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((each, at) => (String(at) === first ? replaced(each, rest, by) : each));
  return { ...(value as object), [first]: replaced((value as Record<string, unknown>)[first], rest, by) };
}

/** A right value with junk at one or two places, one of which may be left out altogether. */
export function spoiled(right: unknown): fc.Arbitrary<unknown> {
  const all = places(right);
  const spoil = fc.tuple(fc.constantFrom(...all), fc.oneof(junk, fc.constant(undefined)));
  return fc.array(spoil, { minLength: 1, maxLength: 2 }).map((spoils) =>
    spoils.reduce((value, [path, by]) => {
      try {
        return replaced(value, path, by);
      } catch {
        return value;
      }
    }, right),
  );
}
