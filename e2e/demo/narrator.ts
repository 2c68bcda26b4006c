import type { Simulator } from "@podgate/fortios-simulator/simulator";
import type { Bus } from "@podgate/shared/bus/bus";
import { follow } from "@podgate/shared/bus/reader";
import { parseEvent } from "@podgate/shared/contract/event";
import { parseSubject, streamOf } from "@podgate/shared/contract/subjects";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Sighting } from "../scenarios/judge.ts";
import type { DemoCluster } from "./kubernetes.ts";

const POLL_MS = 20;

/** Shows what happens in Kubernetes, on the bus and on the firewall, as it happens. */
export class Narrator {
  readonly #began = Date.now();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #looks: (() => void)[] = [];
  /** When an address came to life or was freed, by its pod: what the firewall's latency is measured from. */
  readonly #changedAt = new Map<string, number>();
  events = 0;
  /** Milliseconds from a pod's change to the firewall's write, of each address. */
  readonly adds: number[] = [];
  readonly removes: number[] = [];

  heading(text: string): void {
    console.log(`\n${text}`);
  }

  line(where: string, text: string, at = Date.now()): void {
    console.log(`${((at - this.#began) / 1000).toFixed(3).padStart(8)} s  ${where.padEnd(14)} ${text}`);
  }

  /** What its pods do. */
  kubernetes(cluster: DemoCluster): void {
    const known = new Map<string, string>();
    let next = 0;
    this.#each(() => {
      for (const sighting of cluster.sightings.slice(next)) {
        next += 1;
        const { uid, name } = sighting.object.metadata;
        const { text, addresses } = tell(sighting);
        if (text === "" || known.get(uid) === text) continue;
        known.set(uid, text);
        for (const address of addresses) this.#changedAt.set(address, sighting.at);
        this.line(`cluster ${cluster.name}`, `pod ${name}: ${text}`, sighting.at);
      }
    });
  }

  /** The cluster's stream. */
  bus(bus: Bus, cluster: string): void {
    const { signal } = this.#stopping;
    const members = new Set<string>();
    const read = async (): Promise<void> => {
      const options = { signal, clock: systemClock, random: systemRandom };
      for await (const item of follow(bus, streamOf(cluster), options)) {
        if (item.kind !== "message" || item.replayed || parseSubject(item.subject).kind !== "member")
          continue;
        const { group, address, ...event } = parseEvent(item.subject, item.data);
        this.events += 1;
        const member = `${group} ${address}`;
        const place = `#${String(item.sequence)}`;
        if (event.op === "remove") {
          members.delete(member);
          this.line(`bus ${cluster}`, `${place} remove ${address} from ${group} (${event.cause})`);
        } else if (members.has(member)) {
          this.line(
            `bus ${cluster}`,
            `${place} ${address} in ${group} has ${String(event.ownerCount)} owners now`,
          );
        } else {
          members.add(member);
          this.line(`bus ${cluster}`, `${place} add ${address} to ${group}`);
        }
      }
    };
    this.#running.push(read());
  }

  /** Each write that the firewall accepted, with the time since the pods' change. */
  firewall(simulator: Simulator): void {
    let seen = 0;
    this.#each(() => {
      for (const entry of simulator.device.chronicle.entries(seen)) {
        seen = entry.seq;
        if (entry.kind !== "group") continue;
        const added = entry.added.map(shortName);
        const removed = entry.removed.map(shortName);
        const changes = [...removed.map((name) => `−${name}`), ...added.map((name) => `+${name}`)].join(" ");
        const took = [
          ...this.#since(removed, entry.at, this.removes),
          ...this.#since(added, entry.at, this.adds),
        ];
        const since = took.length === 0 ? "" : `  [${String(Math.round(Math.max(...took)))} ms]`;
        this.line("firewall", `${entry.op} ${entry.name}: ${changes || "no member"}${since}`, entry.at);
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #since(names: readonly string[], at: number, into: number[]): number[] {
    const took = names.flatMap((name) => {
      const changedAt = this.#changedAt.get(name);
      return changedAt === undefined ? [] : [at - changedAt];
    });
    into.push(...took);
    return took;
  }

  /** Tells what of clusters and firewall is not told yet. */
  look(): void {
    for (const look of this.#looks) look();
  }

  #each(look: () => void): void {
    this.#looks.push(look);
    const { signal } = this.#stopping;
    const loop = async (): Promise<void> => {
      while (!signal.aborted) {
        look();
        await systemClock.sleep(POLL_MS, signal).catch(() => undefined);
      }
      look();
    };
    this.#running.push(loop());
  }
}

/** A pod's step in words; empty where it means nothing to a firewall. */
function tell({ type, object }: Sighting): { text: string; addresses: readonly string[] } {
  const addresses = (object.status?.podIPs ?? []).map(({ ip }) => ip);
  if (addresses.length === 0) return { text: "", addresses };
  const labels = Object.entries(object.metadata.labels ?? {})
    .filter(([key]) => key === "app")
    .map(([key, value]) => `${key}=${value}`);
  const stopped = object.status?.containerStatuses?.every(({ state }) => state?.terminated !== undefined);
  if (type === "DELETED" || stopped === true) return { text: "stopped, its address is free", addresses };
  if (object.metadata.deletionTimestamp !== undefined) return { text: "stopping", addresses: [] };
  return { text: `runs with ${addresses.join(", ")} ${labels.join(" ") || "(no label app)"}`, addresses };
}

/** Without the prefix that all names of the installation have. */
const shortName = (name: string): string => name.replace(/^pg\.[a-z0-9]+\./, "");
