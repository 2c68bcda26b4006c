import type { Msg } from "@nats-io/transport-node";
import t from "tap";
import type { Delivery } from "../../src/bus/bus.ts";
import type { Connection } from "../../src/bus/connection.ts";
import type { JetStreamApi } from "../../src/bus/jetstream-api.ts";
import { session } from "../../src/bus/session.ts";
import { until } from "./environment.ts";
import { natsEnvironment } from "./nats-environment.ts";
import { natsServerPath, NO_SERVER } from "./nats-server.ts";
import { drained, outcome, Scene } from "./scene.ts";
import { VirtualClock } from "./virtual-clock.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;

t.test("a server that falls silent without closing ends the session within seconds", { skip }, async (t) => {
  const env = await natsEnvironment(path ?? "", 1);
  t.teardown(() => env.close());
  const scene = await Scene.make(env);
  const reader = await env.link();
  const items: Delivery[] = [];
  const reading = (async () => {
    for await (const item of reader.bus.consume(scene.stream, new AbortController().signal)) items.push(item);
  })();
  const ended = outcome(reading);
  await until("caught up", () => items.at(-1)?.kind === "caught-up");
  const since = performance.now();
  reader.mute();
  t.equal(await ended, "BusError interrupted");
  const silent = performance.now() - since;
  t.comment(`noticed after ${Math.round(silent)} ms`);
  t.ok(silent > 2500 && silent < 6000, "after a few heartbeats");
});

t.test("a quiet stream and a slow reader are no silence", { skip }, async (t) => {
  const env = await natsEnvironment(path ?? "", 1);
  t.teardown(() => env.close());
  const scene = await Scene.make(env);
  const writer = await scene.claim();
  const count = 5000;
  const done: Promise<number>[] = [];
  for (let n = 0; n < count; n += 1) done.push(writer.write(`web/10.3.${n >> 8}.${n & 255}`, "x"));
  await Promise.all(done);
  const ending = new AbortController();
  let messages = 0;
  let whole = false;
  for await (const item of scene.bus.consume(scene.stream, ending.signal)) {
    if (item.kind === "message") messages += 1;
    if (item.kind === "caught-up") {
      whole = true;
      // Idle for longer than any heartbeat: then one more message must still come.
      void env.clock.sleep(4500).then(() => writer.write("web/10.4.0.1", "late"));
    }
    if (messages === 10 && !whole) await env.clock.sleep(4500);
    if (whole && messages === count + 2) break;
  }
  t.equal(messages, count + 2);
  ending.abort();
  scene.end();
});

t.test("a session that is left early leaves no consumer behind", { skip }, async (t) => {
  const env = await natsEnvironment(path ?? "", 1);
  t.teardown(() => env.close());
  const scene = await Scene.make(env);
  await scene.put("web/10.0.0.1", "one");
  for (let n = 0; n < 3; n += 1) {
    for await (const item of scene.bus.consume(scene.stream, new AbortController().signal)) {
      if (item.kind === "message") break;
    }
  }
  await until("no consumers", async () => (await env.consumers(scene.stream)) === 0);
  const ending = AbortSignal.timeout(200);
  await drained(scene.bus.consume(scene.stream, ending));
  await until("no consumers", async () => (await env.consumers(scene.stream)) === 0);
  t.pass("none left");
});

type Receive = (error: null, message: Msg) => void;

/** A consumer of a stream of three messages, of which those of `sequences` reach the reader. */
function delivering(sequences: readonly number[]): { connection: Connection; api: JetStreamApi } {
  const waiting = [...sequences];
  const readers: Receive[] = [];
  const deliver = (sequence: number): void => {
    const reply = `$JS.ACK.S.C.1.${sequence}.${sequence}.0.${3 - sequence}`;
    const message = { subject: `t.${sequence}`, reply, data: new Uint8Array() };
    for (const receive of readers) receive(null, message as unknown as Msg);
  };
  const nats = {
    isClosed: () => false,
    subscribe: (_: string, { callback }: { callback: Receive }) => {
      readers.push(callback);
      return { unsubscribe: () => undefined };
    },
    publish: (subject: string) => {
      if (subject.includes(".MSG.NEXT.")) queueMicrotask(() => waiting.splice(0).forEach(deliver));
    },
  };
  const connection = { current: () => nats, inbox: () => "_INBOX.r", onConnection: () => () => undefined };
  const info = { created: "2026-01-01T00:00:00Z", lastSequence: 3, subjects: ["t.>"] };
  const api = { streamInfo: async () => info, createConsumer: async () => ({ pending: 3 }) };
  return { connection: connection as unknown as Connection, api: api as unknown as JetStreamApi };
}

t.test(
  "a message that is lost on its way, or comes twice, ends the session: then all is read anew",
  async (t) => {
    for (const sequences of [
      [1, 2, 3],
      [1, 3],
      [2, 3],
      [1, 2, 2, 3],
    ]) {
      const { connection, api } = delivering(sequences);
      const ending = new AbortController();
      const options = { stream: "S", filter: "t.>", verified: true, signal: ending.signal };
      const items: string[] = [];
      const reading = (async () => {
        for await (const item of session(connection, api, new VirtualClock(), options)) {
          items.push(item.kind);
          if (item.kind === "caught-up") ending.abort();
        }
      })();
      const isWhole = sequences.join() === "1,2,3";
      t.equal(await outcome(reading), isWhole ? "done" : "BusError interrupted", sequences.join());
      t.equal(items.includes("caught-up"), isWhole);
    }
  },
);
