import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "../../src/bus/bus.ts";
import type { WireConfig } from "../../src/bus/stream-wire.ts";
import type { Epoch } from "../../src/contract/epoch.ts";
import type { State } from "../../src/contract/state.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** One client and the wire it hangs on. */
export interface Link {
  readonly bus: Bus;
  /** Its publishes are stored, but no answer comes, until the wire is cut. */
  mute(): void;
  /** Its publishes wait on the wire. */
  hold(): void;
  release(): void;
  /** The connection breaks and comes back. */
  cut(): void;
}

/** A bus to be tested, real or not, and what can befall it. */
export interface Environment {
  readonly clock: Clock;
  readonly replicas: 1 | 3;
  link(): Promise<Link>;
  /** A client that may do nothing. */
  stranger(): Promise<Bus>;
  /** As `kill -9`, of the one server that leads the stream. */
  kill(stream: string): Promise<void>;
  /** Starts again what was killed. */
  start(): Promise<void>;
  /** By an operator's hand: with any configuration. */
  createByHand(config: WireConfig): Promise<void>;
  deleteStream(stream: string): Promise<void>;
  /** Takes a copy of the stream's store; the returned function puts it back. Only where `replicas` is 1. */
  copy(stream: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function until(what: string, met: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(5);
  }
}

export function stateOf(cluster: string, epoch: Epoch, more: Partial<State> = {}): State {
  return {
    v: 1,
    cluster,
    clusterUid: "uid-of-kube-system",
    epoch,
    phase: "syncing",
    listed: {},
    resourceVersion: "",
    groups: [],
    members: 0,
    digest: "0".repeat(32),
    watcherVersion: "test",
    observedAt: 1,
    ...more,
  };
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const string = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);
