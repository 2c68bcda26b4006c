import type { Step } from "../firewall/firewall.ts";
import { GUARDS, type Guard } from "../plan/guards/held-set.ts";

export type CallKind = Step["kind"] | "identity" | "limits" | "read";
/** unchanged: it was so already. */
export type CallResult = "done" | "unchanged" | "retry" | "refused";

export type LeaseTurn = "acquired" | "released" | "lost";

/** What a target's plan has to say in numbers. */
export interface TargetNumbers {
  readonly desired: number;
  readonly applied: number;
  readonly pending: number;
  readonly parked: number;
  readonly held: Readonly<Record<Guard, number>>;
  readonly orphans: number;
  readonly collisions: number;
  readonly outOfSync: number;
}

/** Nothing is held by any guard. */
export const NONE_HELD = Object.fromEntries(GUARDS.map((guard) => [guard, 0])) as Record<Guard, number>;

/** Where the loops tell what happens; metrics stand behind it. */
export interface Observe {
  /** The firewall acknowledged a change that was seen in Kubernetes so many milliseconds ago. */
  exposed(op: "add" | "remove", ms: number): void;
  called(target: string, kind: CallKind, result: CallResult, ms: number): void;
  drifted(target: string, count: number): void;
  target(target: string, numbers: TargetNumbers): void;
  verified(cluster: string, verified: boolean): void;
  reset(cluster: string): void;
  unreadable(cluster: string): void;
  poked(cluster: string): void;
  blocked(device: string, blocked: boolean): void;
  /** A device's lease is held from now on, or not any more. */
  leased(device: string, turn: LeaseTurn): void;
  /** A configuration is in force since then. @param at milliseconds since 1970 */
  configured(at: number): void;
  /** Is what stands in the configuration's file usable? */
  valid(valid: boolean): void;
  /** How many pushers share the devices. */
  replicas(count: number): void;
}

/** For commands, which have no metrics. */
export const unobserved: Observe = {
  exposed: () => undefined,
  called: () => undefined,
  drifted: () => undefined,
  target: () => undefined,
  verified: () => undefined,
  reset: () => undefined,
  unreadable: () => undefined,
  poked: () => undefined,
  blocked: () => undefined,
  leased: () => undefined,
  replicas: () => undefined,
  configured: () => undefined,
  valid: () => undefined,
};
