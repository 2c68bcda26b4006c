import type { Clock } from "@podgate/shared/runtime/clock";
import { askedPhase, type AskedPhase } from "./asked-phase.ts";
import { leasePath } from "./resources.ts";
import {
  KubernetesError,
  requestJson,
  type KubernetesRequest,
  type KubernetesTransport,
} from "./transport.ts";
import { Watchdog } from "./watchdog.ts";

export interface LeaseOptions {
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: the pod's name, or host and process. */
  readonly identity: string;
  readonly seconds: number;
  readonly onError: (message: string) => void;
}

interface Lease {
  metadata: {
    name: string;
    namespace: string;
    resourceVersion?: string;
    annotations?: Readonly<Record<string, string>>;
  };
  spec: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number;
  };
}

/**
 * Leadership by a coordination.k8s.io Lease. Another holder's record counts as expired when it has not changed for
 * its duration on our monotonic clock: server and replicas need not agree on the time. The Lease only saves two
 * watchers from fighting; what keeps a replaced one from writing is the claim on the bus.
 */
export class LeaseElection {
  readonly #options: LeaseOptions;
  #seen: { record: string; at: number } | undefined;
  #asked: AskedPhase = "synced";
  readonly #listeners = new Set<() => void>();

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** What an operator asks for, as the Lease said when it was last acquired or renewed. */
  get asked(): AskedPhase {
    return this.#asked;
  }

  /** Called when `asked` changes. Returns its own end. */
  onAsked(run: () => void): () => void {
    this.#listeners.add(run);
    return () => void this.#listeners.delete(run);
  }

  /** Resolves when the Lease is ours. @throws the signal's reason */
  async acquire(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      // What fails was reported; it is tried again until the signal.
      if (await this.#try(signal).catch(() => false)) return;
      await this.#options.clock.sleep(this.#renewMs(), signal);
    }
  }

  /** Keeps it. Resolves when it is lost or could not be renewed in time, or at the signal. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, seconds } = this.#options;
    let renewed = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(this.#renewMs(), signal).catch(() => undefined);
      if (signal.aborted) return;
      const asked = clock.monotonic();
      const held = await this.#try(signal).catch(() => undefined);
      if (held === true) renewed = asked;
      else if (held === false || clock.monotonic() - renewed > (seconds * 1000 * 2) / 3) return;
    }
  }

  /** A fresh read says that it is still ours. */
  async verify(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal).catch(() => undefined);
    if (lease !== undefined) this.#notice(lease);
    return lease?.spec.holderIdentity === this.#options.identity;
  }

  /** At an orderly stop, so that another replica takes over at once. */
  async release(signal: AbortSignal): Promise<void> {
    const lease = await this.#read(signal).catch(() => undefined);
    if (lease?.spec.holderIdentity !== this.#options.identity) return;
    await this.#write(
      { ...lease, spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 } },
      signal,
    ).catch(() => undefined);
  }

  /** @returns whether it is ours; undefined = it was just written by somebody, which may have been for another reason */
  async #try(signal: AbortSignal): Promise<boolean | undefined> {
    const { identity, clock, onError, namespace, name } = this.#options;
    try {
      const lease = await this.#read(signal);
      if (lease === undefined) {
        await this.#create(signal);
        return true;
      }
      this.#notice(lease);
      const holder = lease.spec.holderIdentity ?? "";
      if (holder !== "" && holder !== identity && !this.#expired(lease)) return false;
      const now = microTime(clock.now());
      const taken = holder !== identity;
      await this.#write(
        {
          metadata: lease.metadata,
          spec: {
            ...lease.spec,
            holderIdentity: identity,
            leaseDurationSeconds: this.#options.seconds,
            renewTime: now,
            ...(taken && { acquireTime: now, leaseTransitions: (lease.spec.leaseTransitions ?? 0) + 1 }),
          },
        },
        signal,
      );
      return true;
    } catch (error) {
      // Somebody else wrote in between: look again next time.
      if (error instanceof KubernetesError && error.kind === "conflict") return undefined;
      if (!signal.aborted)
        onError(`lease ${namespace}/${name}: ${error instanceof Error ? error.message : "failed"}`);
      throw error;
    }
  }

  #notice(lease: Lease): void {
    const asked = askedPhase(lease);
    if (asked === this.#asked) return;
    this.#asked = asked;
    for (const run of this.#listeners) run();
  }

  #expired(lease: Lease): boolean {
    const now = this.#options.clock.monotonic();
    const record = `${lease.spec.holderIdentity ?? ""} ${lease.spec.renewTime ?? ""}`;
    if (this.#seen?.record !== record) this.#seen = { record, at: now };
    return now - this.#seen.at >= (lease.spec.leaseDurationSeconds ?? this.#options.seconds) * 1000;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      return (await this.#request({ method: "GET", path: leasePath(namespace, name), signal })) as Lease;
    } catch (error) {
      if (error instanceof KubernetesError && error.kind === "not-found") return undefined;
      throw error;
    }
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { namespace, name, identity, seconds, clock } = this.#options;
    const now = microTime(clock.now());
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: seconds,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    };
    const body = JSON.stringify({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace },
      spec,
    });
    await this.#request({ method: "POST", path: leasePath(namespace), body, signal });
  }

  async #write(lease: Lease, signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    const body = JSON.stringify({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", ...lease });
    await this.#request({ method: "PUT", path: leasePath(namespace, name), body, signal });
  }

  /** A request that hangs must not outlast the Lease. */
  async #request(request: KubernetesRequest): Promise<unknown> {
    const { transport, clock } = this.#options;
    const watchdog = new Watchdog(clock, this.#renewMs(), request.signal);
    try {
      return await requestJson(transport, { ...request, signal: watchdog.signal });
    } catch (error) {
      throw watchdog.verdict(error);
    } finally {
      watchdog.stop();
    }
  }

  #renewMs(): number {
    return (this.#options.seconds * 1000) / 5;
  }
}

/** Kubernetes' MicroTime: six digits after the second. */
const microTime = (now: number): string => new Date(now).toISOString().replace("Z", "000Z");
