import fc from "fast-check";
import t from "tap";
import { BusError, type StoredMessage } from "../../src/bus/bus.ts";
import { Fenced } from "../../src/bus/fenced.ts";
import { MemoryBusServer } from "../../src/bus/memory.ts";
import { Publisher, WINDOW } from "../../src/bus/publisher.ts";
import { streamFor } from "../../src/bus/topology.ts";
import { seededRandom } from "../../src/runtime/random.ts";
import { stateSubject, memberSubject } from "../../src/contract/subjects.ts";
import { stateOf, string, text } from "./environment.ts";
import { VirtualClock } from "./virtual-clock.ts";

const CLUSTER = "sim";
const { name: STREAM } = streamFor(CLUSTER);

/** What befalls the bus; `writer` counts from the newest. */
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      writer: fc.nat(2),
      count: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 50, 1000, 3000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("takeover" as const), held: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("hold" as const), writer: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("release" as const),
      writer: fc.nat(2),
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 300 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mute" as const), writer: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), writer: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("drop replies" as const),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("drop requests" as const),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("stop" as const), writer: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const), ms: fc.constantFrom(10, 500) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Writer {
  readonly user: string;
  readonly publisher: Publisher;
  /** Its process dies; what it has on the wire may still arrive. */
  readonly stop: () => void;
  /** Last sequence of the claim's run, once it stands. */
  claimed: number | undefined;
  sent: number;
  readonly acknowledged: Map<number, number>;
  end: Error | undefined;
}

/** Several watchers that each believe to be the leader, one stream, and every fault the twin knows. */
class Simulation {
  readonly clock = new VirtualClock();
  readonly log: StoredMessage[] = [];
  readonly server = new MemoryBusServer({
    clock: this.clock,
    onStored: (_, message) => this.log.push(message),
  });
  readonly writers: Writer[] = [];
  readonly #ending = new AbortController();
  readonly #random = seededRandom(1);

  async run(steps: readonly Step[]): Promise<void> {
    await this.server.connect("admin").createStream(streamFor(CLUSTER));
    this.#takeOver();
    await this.clock.run(100);
    for (const each of steps) await this.#step(each);
    for (const writer of this.writers) {
      this.server.release(writer.user);
      this.server.cut(writer.user);
      // Who still tries to claim has lost its Lease by now.
      if (writer.claimed === undefined) writer.stop();
    }
    this.#takeOver();
    const last = this.writers.at(-1);
    await this.clock.run(60_000, () => last?.claimed !== undefined);
    for (const writer of this.writers) if (writer.claimed !== undefined) this.#publish(writer, 3);
    await this.clock.run(120_000, () =>
      this.writers.every((writer) => writer.end !== undefined || idle(writer)),
    );
  }

  end(): void {
    this.#ending.abort();
  }

  #takeOver(held = false): void {
    const user = `writer-${this.writers.length}`;
    if (held) this.server.hold(user);
    const stopping = new AbortController();
    const publisher = new Publisher({
      bus: this.server.connect(user),
      stream: STREAM,
      clock: this.clock,
      random: this.#random,
      signal: AbortSignal.any([this.#ending.signal, stopping.signal]),
    });
    const writer: Writer = {
      user,
      publisher,
      stop: () => stopping.abort(),
      claimed: undefined,
      sent: 0,
      acknowledged: new Map(),
      end: undefined,
    };
    this.writers.push(writer);
    void publisher
      .claim((epoch) => stateOf(CLUSTER, epoch, { watcherVersion: user }))
      .then(
        (epoch) => (writer.claimed = epoch.sequence + WINDOW),
        (error: Error) => (writer.end = error),
      );
  }

  #publish(writer: Writer, count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const n = writer.sent;
      writer.sent += 1;
      const { epoch } = writer.publisher;
      if (epoch === undefined) return;
      const watcherVersion = `${writer.user} ${n}`;
      const sent =
        n % 7 === 3
          ? writer.publisher.publish({
              subject: stateSubject(CLUSTER),
              data: text(JSON.stringify(stateOf(CLUSTER, epoch, { watcherVersion }))),
            })
          : writer.publisher.publish(
              { subject: memberSubject(CLUSTER, "g", `10.0.0.${1 + (n % 40)}`), data: text(watcherVersion) },
              n % 5 === 1 ? { ttlSeconds: 1 } : {},
            );
      void sent.then(
        (sequence) => writer.acknowledged.set(n, sequence),
        (error: Error) => (writer.end = error),
      );
    }
  }

  async #step(each: Step): Promise<void> {
    const writer = "writer" in each ? this.writers.at(-1 - each.writer) : undefined;
    if (each.do === "takeover") this.#takeOver(each.held);
    else if (each.do === "wait") await this.clock.run(each.ms);
    else if (each.do === "drop replies") this.server.dropReplies(each.count);
    else if (each.do === "drop requests") this.server.dropRequests(each.count);
    else if (each.do === "kill") {
      this.server.stop();
      await this.clock.run(each.ms);
      this.server.start();
    } else if (writer !== undefined) {
      if (each.do === "publish" && writer.claimed !== undefined) this.#publish(writer, each.count);
      if (each.do === "hold") this.server.hold(writer.user);
      if (each.do === "release") this.server.release(writer.user, each.count);
      if (each.do === "mute") this.server.mute(writer.user);
      if (each.do === "stop") writer.stop();
      if (each.do === "cut") this.server.cut(writer.user);
    }
    await this.clock.run(1);
  }

  /** What went wrong, or "". */
  verdict(): string {
    const places = this.log.map((message) => placeOf(message));
    let reigning = 0;
    for (const [index, { user, n }] of places.entries()) {
      const sequence = this.log[index]?.sequence ?? 0;
      const writer = this.writers.find((each) => each.user === user);
      const rank = writer?.claimed ?? Number.POSITIVE_INFINITY;
      if (n !== undefined && rank < reigning)
        return `${user} stored ${n} at ${sequence} after it was replaced`;
      // A claim reigns from the last message of its run.
      for (const each of this.writers) if (each.claimed === sequence) reigning = sequence;
    }
    for (const writer of this.writers) {
      const fault = this.#faultOf(writer, places);
      if (fault !== "") return `${writer.user}: ${fault}`;
    }
    const last = this.writers.at(-1);
    if (last?.claimed === undefined) return "the last writer never came to reign";
    if (last.end !== undefined) return `the last writer ended: ${last.end.message}`;
    return "";
  }

  #faultOf(writer: Writer, places: readonly Place[]): string {
    const acknowledged = [...writer.acknowledged].toSorted(([a], [b]) => a - b);
    let before = 0;
    for (const [index, [n, sequence]] of acknowledged.entries()) {
      if (n !== index) return `${n} is acknowledged, ${index} is not`;
      if (sequence <= before) return `${n} is stored before its predecessor`;
      before = sequence;
      const at = this.log.findIndex((message) => message.sequence === sequence);
      if (places[at]?.user !== writer.user || places[at]?.n !== n) return `${n} is not at ${sequence}`;
    }
    const stored = places.flatMap(({ user, n }) => (user === writer.user && n !== undefined ? [n] : []));
    if (stored.some((n, index) => n <= (stored[index - 1] ?? -1))) return "stored out of order or twice";
    if (writer.end !== undefined && !isEnd(writer.end)) return `ended with ${writer.end.message}`;
    if (writer.end === undefined && writer.claimed !== undefined && !idle(writer)) return "is stuck";
    return "";
  }
}

interface Place {
  readonly user: string;
  readonly n: number | undefined;
}

function placeOf({ subject, data }: StoredMessage): Place {
  const body = string(data);
  const mark =
    subject === stateSubject(CLUSTER)
      ? (JSON.parse(body) as { watcherVersion: string }).watcherVersion
      : body;
  const [user = "", n] = mark.split(" ");
  return { user, n: n === undefined ? undefined : Number(n) };
}

const isEnd = (error: Error): boolean =>
  error instanceof Fenced || (error instanceof BusError && error.kind === "closed");

const idle = (writer: Writer): boolean => writer.acknowledged.size === writer.sent;

t.test(
  "whatever befalls the bus: order is kept, nothing acknowledged is missing, who was replaced stores nothing",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const simulation = new Simulation();
        await simulation.run(steps);
        const verdict = simulation.verdict();
        simulation.end();
        if (verdict !== "") throw new Error(verdict);
      }),
      { numRuns: Number(process.env["PODGATE_RUNS"] ?? 100) },
    );
    t.pass("held");
  },
);
