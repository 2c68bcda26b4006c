/** One line of a preflight. */
export interface Row {
  readonly check: string;
  readonly result: "ok" | "failed" | "skipped";
  /** What was found, in words. */
  readonly found: string;
  /** What to do about it; of failed ones. */
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

/** For people: aligned, each fix below its row. */
export function rowsAsText(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ check }) => check.length));
  const lines = rows.flatMap(({ check, result, found, fix }) => {
    const [first = "", ...more] = found.split("\n");
    const indent = " ".repeat(9 + width + 2);
    return [
      `${result.padEnd(9)}${check.padEnd(width)}  ${first}`.trimEnd(),
      ...more.map((line) => `${indent}${line}`),
      ...(fix === undefined ? [] : [`${indent}fix: ${fix}`]),
    ];
  });
  const bad = rows.filter(({ result }) => result === "failed").length;
  const count = `${rows.length} checks`;
  return `${lines.join("\n")}\n\n${bad === 0 ? `${count}, none failed` : `${count}, ${bad} failed`}\n`;
}

export function rowsAsJson(rows: readonly Row[]): string {
  return `${JSON.stringify({ ok: exitCode(rows) === 0, checks: rows }, undefined, 2)}\n`;
}
