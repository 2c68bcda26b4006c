/** One table of the bench: what was measured, and how it stands to its aim. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** What a reader must know to judge the numbers. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly aims: readonly Aim[];
  /** More than the table shows, for the JSON file. */
  readonly details?: unknown;
}

export type Cell = string | number | undefined;

export interface Aim {
  readonly what: string;
  readonly measured: number;
  /** The most it may be. */
  readonly limit: number;
  readonly unit: string;
}

export const isMet = ({ measured, limit }: Aim): boolean => measured <= limit;

export function render({ title, notes, columns, rows, aims }: Section): string {
  const table = [columns, ...rows].map((row) => row.map(textOf));
  const widths = columns.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  const said = aims.map((aim) => {
    const { what, measured, limit, unit } = aim;
    return `${isMet(aim) ? "met   " : "MISSED"} ${what}: ${textOf(measured)} ${unit}, aim at most ${textOf(limit)} ${unit}`;
  });
  return [`## ${title}`, "", ...lines, "", ...notes, ...said, ""].join("\n");
}

function textOf(cell: Cell): string {
  if (cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return "-";
  return typeof cell === "number" ? cell.toLocaleString("en-US", { maximumFractionDigits: 1 }) : cell;
}
