/** One case of one client against one profile. */
export interface Result {
  readonly client: string;
  readonly case: string;
  readonly profile: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** client × case × profile, as text. A case that a profile has no result for counts as failed. */
export function table(
  results: readonly Result[],
  profiles: readonly string[],
): { text: string; failures: readonly string[] } {
  const rows = new Map<string, Map<string, Result>>();
  for (const result of results) {
    const key = `${result.client.padEnd(14)} ${result.case}`;
    const row = rows.get(key) ?? new Map<string, Result>();
    const before = row.get(result.profile);
    if (before === undefined || before.ok) row.set(result.profile, result);
    rows.set(key, row);
  }
  const width = Math.max(...[...rows.keys()].map((key) => key.length), 20);
  const lines = [
    `${"client         case".padEnd(width)}  ${profiles.map((profile) => profile.padEnd(5)).join(" ")}`,
  ];
  const failures: string[] = [];
  for (const [key, row] of rows) {
    const cells = profiles.map((profile) => {
      const result = row.get(profile);
      if (result?.ok === true) return "ok   ";
      failures.push(`${key} on ${profile}: ${result?.detail ?? "no result"}`);
      return "FAIL ";
    });
    lines.push(`${key.padEnd(width)}  ${cells.join(" ")}`);
  }
  return { text: lines.join("\n"), failures };
}
