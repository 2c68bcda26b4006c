/** One thing that a preflight looked at. */
export interface Row {
  readonly check: string;
  /** What of several was looked at: a target, a stream. */
  readonly subject?: string;
  readonly result: "ok" | "warn" | "failed" | "skipped";
  /** What was found, in words; may have several lines. */
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

export const ok = (check: string, found: string): Row => ({ check, result: "ok", found });
export const skipped = (check: string, found: string): Row => ({ check, result: "skipped", found });
export const failed = (check: string, found: string, fix: string): Row => ({
  check,
  result: "failed",
  found,
  fix,
});

export function exitCode(rows: readonly Row[]): 0 | 1 {
  return rows.some(({ result }) => result === "failed") ? 1 : 0;
}

const RESULT_WIDTH = 9;
const width = (cells: readonly string[]): number => Math.max(0, ...cells.map(({ length }) => length));

/** For people: aligned, each fix below its row, and a count. */
export function rowsAsText(rows: readonly Row[]): string {
  const checks = width(rows.map(({ check }) => check));
  const subjects = width(rows.map(({ subject = "" }) => subject));
  const lines = rows.flatMap(({ check, subject = "", result, found, fix }) => {
    const [first = "", ...more] = found.split("\n");
    const of = subjects === 0 ? "" : `${subject.padEnd(subjects)}  `;
    const head = `${result.padEnd(RESULT_WIDTH)}${check.padEnd(checks)}  ${of}`;
    return [
      `${head}${first}`.trimEnd(),
      ...more.map((line) => " ".repeat(head.length) + line),
      ...(fix === undefined ? [] : [`${" ".repeat(RESULT_WIDTH)}fix: ${fix}`]),
    ];
  });
  const bad = rows.filter(({ result }) => result === "failed").length;
  return `${lines.join("\n")}\n\n${rows.length} checks, ${bad === 0 ? "none" : bad} failed`;
}

/** For programs. */
export function rowsAsData(rows: readonly Row[]): { readonly ok: boolean; readonly checks: readonly Row[] } {
  return { ok: exitCode(rows) === 0, checks: rows };
}
