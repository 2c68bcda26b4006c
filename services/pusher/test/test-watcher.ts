import type { Bus } from "@podgate/shared/bus/bus";
import { Publisher } from "@podgate/shared/bus/publisher";
import { Digest } from "@podgate/shared/contract/digest";
import type { Epoch } from "@podgate/shared/contract/epoch";
import { buildEvent, type RemoveCause } from "@podgate/shared/contract/event";
import { buildState, type Phase, type State } from "@podgate/shared/contract/state";
import { pokeSubject, streamOf } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";

const HEARTBEAT_MS = 2000;
/** As watchers do. */
const TOMBSTONE_SECONDS = 3600;

/** What a watcher says, without a cluster behind it: a test tells it what is so. */
export class TestWatcher {
  readonly cluster: string;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #uid: string;
  readonly #digest = new Digest();
  readonly #members = new Set<string>();
  readonly #stop = new AbortController();
  #publisher: Publisher | undefined;
  #epoch: Epoch | undefined;
  phase: Phase = "synced";
  groups: string[] = [];
  /** Pods in its list; undefined = as many as members. */
  pods: number | undefined;

  constructor(cluster: string, bus: Bus, clock: Clock, uid = `uid-of-${cluster}`) {
    this.cluster = cluster;
    this.#bus = bus;
    this.#clock = clock;
    this.#uid = uid;
  }

  /** Claims and says `synced` from then on, at each heartbeat and when it is asked. */
  async start(...groups: readonly string[]): Promise<void> {
    const { signal } = this.#stop;
    this.groups = [...groups];
    const publisher = new Publisher({
      bus: this.#bus,
      stream: streamOf(this.cluster),
      clock: this.#clock,
      random: () => 0.5,
      signal,
    });
    this.#epoch = await publisher.claim((epoch) => this.#state(epoch, "syncing"));
    this.#publisher = publisher;
    const unheard = this.#bus.onNotify(pokeSubject(this.cluster), () => void this.say());
    signal.addEventListener("abort", unheard);
    void this.#beat();
    await this.say();
  }

  /** Knows what another one knew, as a replica that takes over does. */
  knows(other: TestWatcher): this {
    for (const key of other.#members) {
      const [group = "", address = ""] = key.split(" ");
      this.#members.add(key);
      this.#digest.add(group, address);
    }
    return this;
  }

  async say(): Promise<void> {
    if (this.#epoch === undefined) return;
    await this.#publish(buildState(this.#state(this.#epoch, this.phase)));
  }

  async add(group: string, address: string, pod = `pod-${address}`): Promise<void> {
    const key = `${group} ${address}`;
    if (!this.#members.has(key)) this.#digest.add(group, address);
    this.#members.add(key);
    const owners = [{ kind: "Pod" as const, namespace: "shop", name: pod, uid: `uid-${pod}` }];
    await this.#publish(buildEvent({ ...this.#event(group, address), op: "add", owners, ownerCount: 1 }));
  }

  async remove(group: string, address: string, cause: RemoveCause = "ended"): Promise<void> {
    if (this.#members.delete(`${group} ${address}`)) this.#digest.remove(group, address);
    await this.#publish(
      buildEvent({ ...this.#event(group, address), op: "remove", cause, owners: [], ownerCount: 0 }),
      { ttlSeconds: TOMBSTONE_SECONDS },
    );
  }

  stop(): void {
    this.#stop.abort();
  }

  #event(group: string, address: string) {
    return {
      v: 1 as const,
      cluster: this.cluster,
      group,
      address,
      epoch: this.#epoch ?? { created: "", sequence: 1 },
      resourceVersion: "1",
      observedAt: this.#clock.now(),
    };
  }

  #state(epoch: Epoch, phase: Phase): State {
    return {
      v: 1,
      cluster: this.cluster,
      clusterUid: this.#uid,
      epoch,
      phase,
      listed: { pods: this.pods ?? this.#members.size, nodes: 3 },
      resourceVersion: "1",
      groups: phase === "syncing" ? [] : this.groups,
      members: this.#members.size,
      digest: this.#digest.toString(),
      watcherVersion: "test",
      observedAt: this.#clock.now(),
    };
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#clock.sleep(HEARTBEAT_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.say();
    }
  }

  async #publish(
    message: { readonly subject: string; readonly data: Uint8Array },
    options: { readonly ttlSeconds?: number } = {},
  ): Promise<void> {
    try {
      await this.#publisher?.publish(message, options);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}
