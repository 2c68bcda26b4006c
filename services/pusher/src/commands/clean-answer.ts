import type { TargetConfiguration } from "../configuration.ts";
import type { Actual } from "../firewall/firewall.ts";
import { markedOn, remainsOf, type Marked } from "../plan/clean-steps.ts";
import type { Answer } from "./answer.ts";
import { NAMED, someOf } from "./some-of.ts";

/** What a device would not do. */
export interface Left {
  readonly what: string;
  readonly reason: string;
}

/** What would go, and how to say so. */
export function shown(target: TargetConfiguration, marked: Marked, hash: string): Answer {
  const isClean = remainsOf(marked).length === 0;
  const lines = isClean
    ? [`target ${target.name}: nothing carries our mark`]
    : [
        `target ${target.name}: to clean it would`,
        ...linesOf(marked),
        `to do it: podgate-pusher clean ${target.name} --approve ${hash}`,
      ];
  return { text: lines.join("\n"), json: { target: target.name, hash, marked }, code: 0 };
}

function linesOf({ holders, children, addresses, parents, keptParents }: Marked): string[] {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [holders, "take our groups out of"],
    [children, "delete the groups"],
    [addresses, "delete the addresses"],
    [parents, "delete the groups for policies that we made"],
    [keptParents, "keep the groups that we made, because they hold members of others:"],
  ];
  return rows.flatMap(([names, what]) => (names.length === 0 ? [] : [`  ${what} ${someOf(names)}`]));
}

/** What the target holds now that it was cleaned. */
export function proven(
  target: TargetConfiguration,
  actual: Actual,
  refused: readonly Left[],
  who: string,
  hash: string,
): Answer {
  const marked = markedOn(actual);
  const remains = remainsOf(marked);
  const isClean = remains.length === 0 && refused.length === 0;
  const when = new Date(actual.readAt).toISOString();
  const lines = [
    `target ${target.name}: read at ${when}, ${isClean ? "nothing that carries our mark is left" : `${remains.length} objects are left`}`,
    ...refused.slice(0, NAMED).map(({ what, reason }) => `  ${what}: ${reason}`),
    ...(marked.keptParents.length > 0
      ? [`  groups that we made stay, because they hold members of others: ${someOf(marked.keptParents)}`]
      : []),
  ];
  const json = { target: target.name, hash, who, readAt: actual.readAt, remains, refused };
  return { text: lines.join("\n"), json, code: isClean ? 0 : 1 };
}
