/**
 * What is not known for sure about a real device: each position is one it may be in. The default is our best guess;
 * a client has to work under every position. Changeable while the device runs.
 */
export interface Switches {
  /** POST of a child row that is there already. */
  readonly childDuplicate: "success" | -5 | -15;
  /** DELETE of a child row that is not there. */
  readonly childMissing: 404 | "success" | -3;
  /** Removing the last member of a group where an empty group is refused. */
  readonly lastMember: "refused" | "allowed";
  /** `revision_changed` in the answer to a PUT that changes nothing. */
  readonly identicalPut: "unchanged" | "changed";
  /** What `revision` covers. */
  readonly revisionScope: "table" | "vdom" | "global";
  /** A write names an object that does not exist. */
  readonly missingReference: -3 | -651;
  /** Duplicate, missing and invalid attributes are answered with HTTP 424 instead of 500 (old builds). */
  readonly failedDependency: boolean;
  /** `==` and `!=` in filters tell upper from lower case. */
  readonly filterCase: "sensitive" | "insensitive";
  /** The code for a group that would contain itself. */
  readonly loopCode: number;
  /** How deep groups may be nested; 0 = no limit. */
  readonly nestingDepth: number;
  /** A policy may name a group without members. */
  readonly emptyGroupInPolicy: "allowed" | "refused";
  readonly tableFullCode: -4 | -580;
  readonly tableFullStatus: number;
  /** Bodies of more bytes get HTTP 413; 0 = none do. */
  readonly maxBody: number;
  /** A group may hold the predefined `none`. */
  readonly placeholder: "accepted" | "refused";
  /** `null` = as the release does. */
  readonly emptyGroup: "allowed" | "refused" | null;
  /** `?access_token=` counts as authentication; `null` = as the release does. */
  readonly urlToken: boolean | null;
  /** HTTP status while a source address is locked out. */
  readonly lockedStatus: 429 | 401;
  /** Monitor replies carry `http_status`; `null` = as the release does. */
  readonly monitorHttpStatus: boolean | null;
  /** DELETE on a collection: refused loudly (safer for tests), or everything unreferenced goes (as documented). */
  readonly purge: "refused" | "purge";
}

export const DEFAULT_SWITCHES: Switches = {
  childDuplicate: "success",
  childMissing: 404,
  lastMember: "refused",
  identicalPut: "unchanged",
  revisionScope: "table",
  missingReference: -3,
  failedDependency: false,
  filterCase: "sensitive",
  loopCode: -651,
  nestingDepth: 0,
  emptyGroupInPolicy: "allowed",
  tableFullCode: -4,
  tableFullStatus: 500,
  maxBody: 0,
  placeholder: "accepted",
  emptyGroup: null,
  urlToken: null,
  lockedStatus: 429,
  monitorHttpStatus: null,
  purge: "refused",
};

const ANY = "number";
/** The positions each switch has; `number` = any whole number. */
export const POSITIONS: Readonly<Record<keyof Switches, readonly unknown[] | typeof ANY>> = {
  childDuplicate: ["success", -5, -15],
  childMissing: [404, "success", -3],
  lastMember: ["refused", "allowed"],
  identicalPut: ["unchanged", "changed"],
  revisionScope: ["table", "vdom", "global"],
  missingReference: [-3, -651],
  failedDependency: [false, true],
  filterCase: ["sensitive", "insensitive"],
  loopCode: ANY,
  nestingDepth: ANY,
  emptyGroupInPolicy: ["allowed", "refused"],
  tableFullCode: [-4, -580],
  tableFullStatus: ANY,
  maxBody: ANY,
  placeholder: ["accepted", "refused"],
  emptyGroup: [null, "allowed", "refused"],
  urlToken: [null, true, false],
  lockedStatus: [429, 401],
  monitorHttpStatus: [null, true, false],
  purge: ["refused", "purge"],
};

/** @returns what is wrong with it, or undefined */
export function switchFault(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(POSITIONS, name))
    return `switch ${name}: use one of ${Object.keys(POSITIONS).join(", ")}`;
  const positions = POSITIONS[name as keyof Switches];
  if (positions === ANY) return Number.isInteger(value) ? undefined : `switch ${name}: give a whole number`;
  return positions.includes(value)
    ? undefined
    : `switch ${name}: use one of ${positions.map(String).join(", ")}`;
}
