import { hash } from "node:crypto";
import type { Family } from "@podgate/shared/contract/address";
import type { Step } from "../firewall/firewall.ts";
import type { Cause } from "./guards/cause.ts";
import type { Guard } from "./guards/held-set.ts";

export type { Cause } from "./guards/cause.ts";

/** Everything that would be done to one target, as data: printing it is the dry run. */
export interface Plan {
  readonly target: string;
  /** In the order in which they would be applied, if nothing else happened meanwhile. */
  readonly steps: readonly Step[];
  /** There were more steps than are worth listing. */
  readonly truncated: boolean;
  /** What differs but is not done, and what would release it. */
  readonly held: readonly Held[];
  readonly warnings: readonly string[];
  /** SHA-256 over the steps without their reasons, in hex. */
  readonly hash: string;
  /** Of what an approval would release; empty = nothing waits for one. */
  readonly heldHash: string;
}

export interface Held {
  /** Undefined where the child's origin is lost. */
  readonly cluster: string | undefined;
  readonly group: string | undefined;
  /** An address, or the name of an object on the firewall. */
  readonly what: string;
  readonly guard: Guard;
  readonly reason: string;
  /** What would let it go on, for people. */
  readonly release: string;
}

/** One address whose membership changed on the device, as policies see it (its child is in the parent). */
export interface Applied {
  readonly op: "add" | "remove";
  readonly cluster: string;
  readonly group: string;
  readonly address: string;
  /** Milliseconds since 1970 at which the watcher saw the change; undefined where nothing on record tells, or drift was undone. */
  readonly observedAt: number | undefined;
  /** Of a removal. */
  readonly cause?: Cause;
}

/** Somebody else changed this since Podgate last wrote or read it. */
export interface Drift {
  readonly kind:
    | "address-changed"
    | "address-missing"
    | "child-missing"
    | "member-missing"
    | "member-added"
    | "stranger"
    | "detached"
    | "parent-missing";
  /** The object's name on the firewall. */
  readonly object: string;
  readonly family: Family;
  /** For people; names what was found. */
  readonly message: string;
}

/** How one group of one cluster stands on one target. */
export interface GroupReport {
  readonly cluster: string;
  readonly group: string;
  readonly firewallGroup: string;
  /** Members it should have there, and how many of these policies see. */
  readonly desired: number;
  readonly applied: number;
  readonly inSync: boolean;
  /** One word for a condition, and a sentence; absent when in sync. */
  readonly reason?: "Pending" | "Refused" | "Held" | "NotVerified" | "NotRead";
  readonly message?: string;
  readonly refused: readonly { readonly address: string; readonly reason: string }[];
  readonly held: readonly Held[];
}

/** For gauges. */
export interface Counts {
  /** Additions and removals that are due. */
  readonly pending: number;
  readonly parked: number;
  readonly held: Readonly<Record<Guard, number>>;
  /** Children with our mark that nothing desires. */
  readonly orphans: number;
  /** Objects named like ours without our mark. */
  readonly collisions: number;
}

export function planOf(
  target: string,
  steps: readonly Step[],
  truncated: boolean,
  held: readonly Held[],
  warnings: readonly string[],
  heldHash: string,
): Plan {
  const facts = steps.map((step) => ({ ...step, reason: undefined }));
  const own = hash("sha256", JSON.stringify(facts), "hex");
  return { target, steps, truncated, held, warnings, hash: own, heldHash };
}
