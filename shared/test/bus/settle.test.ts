import t from "tap";
import { MemoryBusServer } from "../../src/bus/memory.ts";
import { settle, type Reign, type Sent } from "../../src/bus/settle.ts";
import { streamFor } from "../../src/bus/topology.ts";
import { memberSubject, stateSubject } from "../../src/contract/subjects.ts";
import { outcome } from "./scene.ts";
import { text } from "./environment.ts";
import { VirtualClock } from "./virtual-clock.ts";

const STATE = stateSubject("c");
const [WEB1, WEB2] = [memberSubject("c", "web", "10.0.0.1"), memberSubject("c", "web", "10.0.0.2")];

/**
 * A stream in which our claim stands at 1; `held` is what the server stored after it, `sent` what we had on the
 * wire. Bodies that begin with "ours" are ours.
 */
async function judge(
  held: readonly (readonly [string, string, number?])[],
  sent: readonly (readonly [string, string, number?])[],
  more: { readonly refused?: number; readonly acknowledged?: number; readonly created?: string } = {},
): Promise<string> {
  const clock = new VirtualClock();
  const server = new MemoryBusServer({ clock });
  const bus = server.connect();
  const { created } = await bus.createStream(streamFor("c"));
  const stored = [[STATE, "ours: claim"], ...held] as const;
  for (const [index, [subject, body, ttlSeconds]] of stored.entries()) {
    const ttl = ttlSeconds !== undefined && { ttlSeconds };
    await bus.publish({ stream: "PODGATE_c", subject, data: text(body), expectLastSequence: index, ...ttl });
  }
  await clock.run(10_000);
  const acknowledged = more.acknowledged ?? 1;
  const flight = sent.map(([subject, body, ttlSeconds], index): Sent => ({
    subject,
    data: text(body),
    ttlSeconds,
    sequence: acknowledged + 1 + index,
    refused: index === more.refused,
  }));
  const reign: Reign = {
    stream: "PODGATE_c",
    epoch: { created: more.created ?? created, sequence: 1 },
    acknowledged,
    state: { subject: STATE, data: text("ours: claim"), ttlSeconds: undefined, sequence: 1, refused: false },
    flight,
  };
  let last: number | undefined;
  const result = await outcome(settle(bus, reign).then((settled) => (last = settled)));
  return result === "done" ? `ours up to ${String(last)}` : result;
}

t.test("nothing, some or all of what was sent is stored", async (t) => {
  const sent = [
    [WEB1, "ours: a"],
    [WEB2, "ours: b"],
    [WEB1, "ours: c"],
  ] as const;
  t.equal(await judge([], sent), "ours up to 1");
  t.equal(await judge(sent.slice(0, 1), sent), "ours up to 2");
  t.equal(await judge(sent, sent), "ours up to 4", "a subject that was written twice shows the later one");
});

t.test("another writer's messages anywhere in our place", async (t) => {
  const sent = [
    [WEB1, "ours: a"],
    [WEB2, "ours: b"],
  ] as const;
  t.equal(await judge([[STATE, "theirs: claim"]], sent), "Fenced replaced", "at the end");
  t.equal(await judge([[STATE, "theirs: claim"], ...sent.slice(1)], sent), "Fenced replaced", "between ours");
  t.equal(await judge([[WEB1, "theirs"]], sent), "Fenced replaced", "without a claim");
  const more = [...sent, [STATE, "theirs"], [STATE, "theirs"]] as const;
  t.equal(await judge(more, sent), "Fenced replaced", "beyond ours");
});

t.test("a claim that our own later state message covered up: our row is missing", async (t) => {
  const sent = [
    [WEB1, "ours: a"],
    [STATE, "ours: later"],
  ] as const;
  t.equal(await judge([[STATE, "theirs: claim"], ...sent.slice(1)], sent), "Fenced replaced");
});

t.test("a message that was surely refused, and its sequence taken", async (t) => {
  const sent = [
    [STATE, "ours: one"],
    [STATE, "ours: two"],
  ] as const;
  const held = [[STATE, "theirs: claim"], ...sent.slice(1)] as const;
  t.equal(await judge(held, sent, { refused: 0 }), "Fenced replaced");
  t.equal(await judge([], sent, { refused: 0 }), "ours up to 1", "refused, but nobody wrote: sent again");
});

t.test("a tombstone that expired", async (t) => {
  const sent = [[WEB1, "ours: remove", 1]] as const;
  t.equal(await judge(sent, sent), "ours up to 2", "its row is absent, which says the same");
  const before = [
    [WEB1, "ours: add"],
    [STATE, "theirs"],
  ] as const;
  t.equal(await judge(before, sent, { acknowledged: 2 }), "Fenced replaced", "the row still says add");
});

t.test("another stream, or an older one", async (t) => {
  const sent = [[WEB1, "ours: a"]] as const;
  t.equal(await judge(sent, sent, { created: "2026-01-01T00:00:00Z" }), "Fenced remade");
  t.equal(await judge([], sent, { acknowledged: 5 }), "Fenced rolled-back");
  t.equal(await judge([], sent, { acknowledged: 2 }), "Fenced rolled-back", "it lost one message");
});

t.test("a stream that moves while it is read is asked again", async (t) => {
  const server = new MemoryBusServer({ clock: new VirtualClock() });
  const bus = server.connect();
  const { created } = await bus.createStream(streamFor("c"));
  const state = { subject: STATE, data: text("ours"), ttlSeconds: undefined, sequence: 1, refused: false };
  await bus.publish({ stream: "PODGATE_c", subject: STATE, data: state.data, expectLastSequence: 0 });
  const late = { subject: WEB1, data: text("late"), ttlSeconds: undefined, sequence: 2, refused: false };
  const reign = {
    stream: "PODGATE_c",
    epoch: { created, sequence: 1 },
    acknowledged: 1,
    state,
    flight: [late],
  };
  const asked = settle(bus, reign);
  await bus.publish({ stream: "PODGATE_c", ...late, expectLastSequence: 1 } as never);
  t.equal(await asked, undefined);
  t.equal(await settle(bus, reign), 2);
});
