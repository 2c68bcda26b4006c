import type { ApiUser } from "./access.ts";
import type { Configuration, Settings } from "./configuration.ts";
import type { Identity } from "./envelope.ts";
import type { World } from "./rules.ts";
import type { Feeds } from "./feeds.ts";
import type { Vdom } from "./vdom.ts";
import type { Body } from "./write.ts";

/** One authenticated request on its way through the device, for one VDOM. */
export interface Call {
  readonly method: string;
  /** Decoded, after `/api/v2/cmdb` or `/api/v2/monitor`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Body;
  readonly user: ApiUser;
  readonly vdom: Vdom;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly identity: Identity;
  readonly world: World;
  readonly settings: Settings;
  readonly configuration: Configuration;
  readonly feeds: Feeds;
  /** Faults that change what is read. */
  readonly reading: {
    readonly extraFields: boolean;
    readonly emptyResults: boolean;
    /** An object made less than so many milliseconds ago is not found. */
    readonly notFoundFor: number;
    bornAt(table: string, key: string): number;
  };
  /** In a transaction: nothing is final yet. */
  readonly tentative: boolean;
}

/** What was done, for envelope and log. */
export interface Outcome {
  readonly status: number;
  readonly body: unknown;
  readonly changed: boolean;
  readonly error: number;
}
