/** A FortiOS release and what differs by it. Facts: schemas of fortinet.fortios, recorded replies, FNDN. */
export interface Profile {
  /** `7.4` */
  readonly line: string;
  /** As in envelopes: `v7.4.8`. */
  readonly version: string;
  readonly build: number;
  readonly number: number;
  /** List replies carry `size`, `matched_count`, `next_idx` (absent on 6.2, present on 7.2.5). */
  readonly counts: boolean;
  readonly limitReached: boolean;
  /** A group may have no member. */
  readonly emptyGroup: boolean;
  /** `?access_token=` is accepted unless the device is told otherwise (refused from 7.4.5 and 7.6.1). */
  readonly urlToken: boolean;
  readonly transactions: boolean;
  readonly transactionShow: boolean;
  readonly sort: boolean;
  /** Filter operators `=*` and `!*`. */
  readonly insensitiveFilters: boolean;
  /** `update-method push` of external resources. */
  readonly push: boolean;
  /** Entries of one feed (before 7.4.4), or of all feeds together (from 7.4.4). */
  readonly feedEntries: { readonly limit: number; readonly scope: "feed" | "device" };
  /** Schema replies carry `default`. */
  readonly schemaDefaults: boolean;
  /** Monitor replies carry `http_status`. */
  readonly monitorHttpStatus: boolean;
  readonly statusDetails: boolean;
}

const RELEASES: Readonly<Record<string, { patch: string; build: number }>> = {
  "6.2": { patch: "6.2.7", build: 1190 },
  "6.4": { patch: "6.4.14", build: 2093 },
  "7.0": { patch: "7.0.12", build: 523 },
  "7.2": { patch: "7.2.8", build: 1639 },
  "7.4": { patch: "7.4.8", build: 2795 },
  "7.6": { patch: "7.6.5", build: 3651 },
};

export const PROFILE_LINES = Object.keys(RELEASES);

/** `7.4.1` → 70401; a missing part counts as 0. */
export function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 10_000 + minor * 100 + patch;
}

/** @param name a release line (`7.4`) or one of its patches (`7.4.1`); others throw with the list of lines */
export function profileOf(name: string): Profile {
  const line = name.split(".").slice(0, 2).join(".");
  const release = RELEASES[line];
  if (release === undefined || !/^\d+\.\d+(\.\d+)?$/.test(name)) {
    throw new Error(
      `profile "${name}" is not known: use one of ${PROFILE_LINES.join(", ")}, or a patch of one`,
    );
  }
  const patch = name === line ? release.patch : name;
  const number = versionNumber(patch);
  const from = (version: string): boolean => number >= versionNumber(version);
  return {
    line,
    version: `v${patch}`,
    build: release.build,
    number,
    counts: from("6.4.0"),
    limitReached: from("7.4.0"),
    emptyGroup: from("7.2.0"),
    urlToken: !(from("7.6.1") || (line === "7.4" && from("7.4.5"))),
    transactions: from("6.4.0"),
    transactionShow: from("7.4.1"),
    sort: from("6.4.2"),
    insensitiveFilters: from("7.0.0"),
    push: from("7.2.1"),
    feedEntries: from("7.4.4") ? { limit: 300_000, scope: "device" } : { limit: 131_072, scope: "feed" },
    schemaDefaults: from("7.0.0"),
    monitorHttpStatus: from("7.4.3"),
    statusDetails: from("7.0.0"),
  };
}
