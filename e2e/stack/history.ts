import type { Membership, PodObject, Sighting } from "../scenarios/judge.ts";
import type { Firewall, ReadOptions } from "./firewall.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";

/** What an API server said of its pods, from the start of the recording on, each with the time it was heard. */
export class PodHistory {
  readonly sightings: Sighting[] = [];
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  readonly #caughtUp = Promise.withResolvers<void>();

  constructor(client: KubernetesClient) {
    this.#watching = client.watch(
      { apiVersion: "v1", kind: "Pod" },
      ({ type, object }) => {
        const at = Date.now();
        if (type === "BOOKMARK") this.#caughtUp.resolve();
        else if (type !== "ERROR") this.sightings.push({ at, type, object: object as unknown as PodObject });
      },
      this.#stopping.signal,
    );
    this.#watching.catch((error: unknown) => this.#caughtUp.reject(error));
    this.#caughtUp.promise.catch(() => undefined);
  }

  /** Resolves when the pods that were there are in it. */
  async ready(): Promise<this> {
    await this.#caughtUp.promise;
    return this;
  }

  /** @throws when the watch broke before: the history would have a gap */
  async stop(): Promise<readonly Sighting[]> {
    this.#stopping.abort();
    await this.#watching;
    return this.sightings;
  }
}

/** Every state a group on the firewall was in, by the device's own chronicle. */
export function membershipHistory(
  { simulator }: Firewall,
  group: string,
  { vdom = "root", family = "ipv4" }: ReadOptions = {},
): Membership[] {
  return simulator.device.chronicle.memberships(vdom, group, family).map(({ at, request, members }) => ({
    at,
    members: new Set(members),
    byOthers: at > 0 && request === 0,
  }));
}
