import type { Family } from "@podgate/shared/contract/address";

/**
 * The port every firewall adapter implements. One instance is one target (device × VDOM). Each `apply` is one
 * call that changes the device; the loop above has one in flight per device.
 */
export interface Firewall {
  identity(signal: AbortSignal): Promise<Identity>;
  limits(signal: AbortSignal): Promise<Limits>;
  /**
   * Everything of ours on this target, the parents named, and every other group that holds a child of ours: so the
   * traces of a route that is gone are found. @throws FirewallError
   */
  read(parents: readonly string[], signal: AbortSignal): Promise<Actual>;
  /** Does one step. A lost reply is settled by reading back. Never throws for what the device answered. */
  apply(step: Step, signal: AbortSignal): Promise<Outcome>;
  /** Takes away what the adapter made for itself, when nothing of ours is left. Never throws, as `apply`. */
  tidy(signal: AbortSignal): Promise<Outcome>;
}

export interface Identity {
  readonly serial: string;
  /** `7.4.5` */
  readonly version: string;
  readonly vdom: string;
  /** The device refuses a group without a member (below FortiOS 7.2.0): an empty child holds `none`. */
  readonly needsPlaceholder: boolean;
  readonly warnings: readonly string[];
}

/** 0 = no limit stated. */
export interface FamilyLimits {
  readonly addresses: number;
  readonly groups: number;
  readonly membersPerGroup: number;
}
export type Limits = Readonly<Record<Family, FamilyLimits>>;

/** An address object whose name is of our grammar, or that a child of ours refers to. */
export interface ActualAddress {
  readonly name: string;
  readonly family: Family;
  /** The address the name encodes. */
  readonly address: string;
  /**
   * `ours`: grammar, mark and content agree. `drifted`: name and mark are ours, the content is not (a mask was
   * edited). `borrowed`: name and content are ours, the mark is not: groups may hold it, it is never changed or
   * deleted. `collision`: the name is ours, mark and content are not: never touched, never used.
   */
  readonly standing: "ours" | "drifted" | "borrowed" | "collision";
  /** What it holds instead, in FortiOS words, for reports. */
  readonly found?: string;
}

export interface ChildOrigin {
  readonly cluster: string;
  /** As on the bus: `web`, or `shop/web`. */
  readonly group: string;
}

/** A group whose name is of our child grammar. */
export interface ActualChild {
  readonly name: string;
  readonly family: Family;
  readonly standing: "ours" | "collision";
  /** What the child was made for, from its comment (a shortened name can't be read back); undefined where it is lost. */
  readonly origin: ChildOrigin | undefined;
  /** Canonical addresses of the members that are our address objects. */
  readonly members: ReadonlySet<string>;
  /** Whose mark a collision carries, in words; undefined = nobody's that is known. */
  readonly manager?: string;
  /** Members of the child that it must not hold (not of ours, or a collision), by name, the placeholder left out. */
  readonly strangers: readonly string[];
}

/** A user's group. */
export interface ActualParent {
  readonly name: string;
  readonly family: Family;
  /** Carries our mark: we made it, so we may delete it when it is empty. */
  readonly ours: boolean;
  /** Whose mark it carries, in words, where it is another manager's: it is not ours to put anything into. */
  readonly manager?: string;
  /** Names of its members, whoever put them there, the placeholder left out. */
  readonly members: ReadonlySet<string>;
}

export interface Actual {
  /** Keyed by name of the object. */
  readonly addresses: ReadonlyMap<string, ActualAddress>;
  /** Keyed `<family>:<name>`, as the parents are: addrgrp and addrgrp6 are apart, and may use one name both. */
  readonly children: ReadonlyMap<string, ActualChild>;
  readonly parents: ReadonlyMap<string, ActualParent>;
  /** Milliseconds since 1970. */
  readonly readAt: number;
}

/** Key of a child or a parent in `Actual`. */
export const groupKey = (family: Family, name: string): string => `${family}:${name}`;

/** One call that changes the device. `reason` is for people. */
export type Step = { readonly reason: string } & (
  | { readonly kind: "create-address"; readonly name: string; readonly address: string }
  | { readonly kind: "repair-address"; readonly name: string; readonly address: string }
  | { readonly kind: "delete-address"; readonly name: string; readonly address: string }
  | {
      readonly kind: "create-child";
      readonly child: string;
      readonly family: Family;
      /** What it is for: goes into its comment, see `ActualChild.origin`. */
      readonly cluster: string;
      readonly group: string;
      readonly members: readonly string[];
    }
  /** The whole list of addresses; removed and added are the difference it makes, for reports. */
  | {
      readonly kind: "put-child";
      readonly child: string;
      readonly family: Family;
      readonly members: readonly string[];
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: "delete-child"; readonly child: string; readonly family: Family }
  | {
      readonly kind: "create-parent";
      readonly parent: string;
      readonly family: Family;
      readonly child: string;
    }
  | {
      readonly kind: "attach-child";
      readonly parent: string;
      readonly family: Family;
      readonly child: string;
    }
  | {
      readonly kind: "detach-child";
      readonly parent: string;
      readonly family: Family;
      readonly child: string;
    }
  /** Only a parent that carries our mark is ever deleted; another one is refused. */
  | { readonly kind: "delete-parent"; readonly parent: string; readonly family: Family }
);

/**
 * done: the device holds what the step wanted (also "already so"); `changed` false = nothing was written.
 * retry: try again later; nothing is known to be wrong with the step (`unauthorized` stops the device).
 * refused: the device will not do it: park what `blame` names.
 */
export type Outcome =
  | { readonly result: "done"; readonly changed: boolean }
  | {
      readonly result: "retry";
      readonly reason: RetryReason;
      readonly message: string;
      readonly reread: boolean;
      /** Of `missing-reference`: the objects (names or addresses) that the device lacks, where it says so. */
      readonly blame?: readonly string[];
    }
  | {
      readonly result: "refused";
      readonly reason: RefusalReason;
      readonly message: string;
      /** Addresses that caused it, when they can be told; else the step's own object. */
      readonly blame: readonly string[];
    };

const RETRY_REASONS = [
  "unreachable",
  "timeout",
  "busy",
  "unauthorized",
  "missing-reference",
  "unclear",
] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];
export type RefusalReason = "forbidden" | "full" | "in-use" | "collision" | "invalid" | "other";

export const isRetry = (reason: RetryReason | RefusalReason): reason is RetryReason =>
  (RETRY_REASONS as readonly string[]).includes(reason);

/** A read that failed; made anew at the adapter, without headers or bodies. */
export class FirewallError extends Error {
  override name = "FirewallError";
  readonly reason: RetryReason | RefusalReason;
  constructor(reason: RetryReason | RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
