import { WINDOW } from "../../src/bus/publisher.ts";
import { stateSubject } from "../../src/contract/subjects.ts";
import type { Case } from "./contract.ts";
import { string, text, until } from "./environment.ts";
import { outcome, Scene } from "./scene.ts";

/** The one writer of a stream, and how it finds out that it is not the one any more. */
export function publisherCases(add: Case): void {
  add("the claim's own sequence stands in its body and is the epoch", async (t, env) => {
    const scene = await Scene.make(env);
    const before = await scene.info();
    const { epoch } = await scene.claim();
    t.same(epoch, { created: before.created, sequence: before.lastSequence + 1 });
    const state = await scene.bus.lastMessage(scene.stream, stateSubject(scene.cluster));
    t.match(JSON.parse(string(state?.data)), { epoch });
    t.equal((await scene.info()).lastSequence, before.lastSequence + WINDOW + 1);
    scene.end();
  });

  for (const [field, value, wanted] of [
    ["allow_msg_ttl", false, true],
    ["no_ack", true, false],
  ] as const) {
    add(`a stream whose ${field} is ${value} is not claimed until it is another one`, async (t, env) => {
      const scene = await Scene.make(env);
      await env.deleteStream(scene.stream);
      await env.createByHand({ ...scene.wire, [field]: value });
      const before = await scene.info();
      const told: [string, string][] = [];
      const claiming = scene.claim(scene.bus, (kind, message) => told.push([kind, message]));
      await until("a refusal", () => told.length > 1);
      t.equal((await scene.info()).lastSequence, before.lastSequence, "nothing was stored");
      t.equal(told[0]?.[0], "unfit-stream");
      t.match(
        told[0]?.[1],
        new RegExp(`${scene.stream}.*${field} is (${value}|not set), should be ${wanted}`),
      );
      t.match(told[0]?.[1], "podgate-pusher bus init");
      await env.deleteStream(scene.stream);
      await scene.remake();
      const writer = await claiming;
      t.equal(await outcome(writer.write("web/10.0.0.1", "remove", 3600)), "done");
      scene.end();
    });
  }

  for (const [name, where] of [
    ["on a subject that was never used", "web/10.0.0.9"],
    ["on a subject whose tombstone expired", "web/10.0.0.1"],
    ["on a subject that nobody touched since", "web/10.0.0.2"],
  ] as const) {
    add(`a replaced writer is refused ${name}`, async (t, env) => {
      const scene = await Scene.make(env);
      const old = await scene.claim();
      await old.write("web/10.0.0.2", "old");
      const tombstone = await old.write("web/10.0.0.1", "remove", 1);
      const next = await scene.claim();
      t.ok(next.epoch.sequence > old.epoch.sequence, "the epoch rises");
      await until("expiry", async () => (await scene.bus.readMessage(scene.stream, tombstone)) === undefined);
      t.equal(await outcome(old.write(where, "late")), "Fenced replaced");
      t.equal(await outcome(old.write(where, "later")), "Fenced replaced", "for good");
      t.equal(await outcome(old.publisher.idle()), "Fenced replaced");
      t.same(await scene.rows(), { [scene.subject("web/10.0.0.2")]: "old" });
      t.equal(await outcome(next.write("web/10.0.0.3", "new")), "done");
      scene.end();
    });
  }

  add("a replaced writer that wakes with a full window on the wire gets nothing stored", async (t, env) => {
    const scene = await Scene.make(env);
    const wire = await env.link();
    const old = await scene.claim(wire.bus);
    wire.hold();
    const late: Promise<string>[] = [];
    for (let n = 0; n < WINDOW * 2; n += 1) late.push(outcome(old.write(`web/10.0.1.${n}`, "late")));
    const next = await scene.claim();
    wire.release();
    t.same([...new Set(await Promise.all(late))], ["Fenced replaced"]);
    t.equal(await outcome(next.write("web/10.0.0.3", "new")), "done");
    t.same(await scene.rows(), { [scene.subject("web/10.0.0.3")]: "new" });
    scene.end();
  });

  add("two that claim at once: one reigns in the end", async (t, env) => {
    const scene = await Scene.make(env);
    const [wireA, wireB] = [await env.link(), await env.link()];
    const [a, b] = await Promise.all([scene.claim(wireA.bus), scene.claim(wireB.bus)]);
    t.not(a.epoch.sequence, b.epoch.sequence);
    const results = [
      await outcome(a.write("web/10.0.0.1", "a")),
      await outcome(b.write("web/10.0.0.2", "b")),
    ];
    t.same(results.toSorted(), ["Fenced replaced", "done"]);
    scene.end();
  });

  add("replies lost after the store: nothing is written twice, nothing is missing", async (t, env) => {
    const scene = await Scene.make(env);
    const wire = await env.link();
    const writer = await scene.claim(wire.bus);
    const first = await writer.write("web/10.0.0.1", "one");
    wire.mute();
    const names = ["web/10.0.0.2", "web/10.0.0.3", "web/10.0.0.2", "web/10.0.0.4"];
    const pending = names.map((name, n) => writer.write(name, `lost ${n}`));
    await until("stored", async () => (await scene.info()).lastSequence === first + names.length);
    wire.cut();
    t.same(await Promise.all(pending), [first + 1, first + 2, first + 3, first + 4]);
    t.equal(await writer.write("web/10.0.0.5", "after"), first + 5);
    t.same(await scene.rows(), {
      [scene.subject("web/10.0.0.1")]: "one",
      [scene.subject("web/10.0.0.3")]: "lost 1",
      [scene.subject("web/10.0.0.2")]: "lost 2",
      [scene.subject("web/10.0.0.4")]: "lost 3",
      [scene.subject("web/10.0.0.5")]: "after",
    });
    t.ok(writer.troubles.includes("unknown"), "and it said so");
    scene.end();
  });

  add("cut off while a tombstone expires: it counts as stored, and publishing goes on", async (t, env) => {
    const scene = await Scene.make(env);
    const wire = await env.link();
    const writer = await scene.claim(wire.bus);
    const added = await writer.write("web/10.0.0.1", "add");
    wire.mute();
    const removed = writer.write("web/10.0.0.1", "remove", 1);
    await until("stored", async () => (await scene.info()).lastSequence === added + 1);
    await until("expired", async () => (await scene.bus.readMessage(scene.stream, added + 1)) === undefined);
    wire.cut();
    t.equal(await removed, added + 1);
    t.equal(await writer.write("web/10.0.0.2", "add"), added + 2);
    t.same(await scene.rows(), { [scene.subject("web/10.0.0.2")]: "add" });
    scene.end();
  });

  add("cut off while a tombstone expires, and replaced meanwhile: fenced", async (t, env) => {
    const scene = await Scene.make(env);
    const wire = await env.link();
    const old = await scene.claim(wire.bus);
    const added = await old.write("web/10.0.0.1", "add");
    wire.mute();
    const removed = outcome(old.write("web/10.0.0.1", "remove", 1));
    await until("stored", async () => (await scene.info()).lastSequence === added + 1);
    await scene.claim();
    await until("expired", async () => (await scene.bus.readMessage(scene.stream, added + 1)) === undefined);
    wire.cut();
    t.equal(await removed, "Fenced replaced");
    scene.end();
  });

  add("a stream made anew fences its writer", async (t, env) => {
    const scene = await Scene.make(env);
    const old = await scene.claim();
    await env.deleteStream(scene.stream);
    const waiting = outcome(old.write("web/10.0.0.1", "late"));
    await until("no stream", () => old.troubles.includes("no-stream"));
    await scene.remake();
    t.equal(await waiting, "Fenced remade");
    t.equal((await scene.info()).messages, 0);
    const next = await scene.claim();
    t.not(next.epoch.created, old.epoch.created);
    scene.end();
  });

  if (add.replicas === 1)
    add("a stream restored from an older copy fences its writer", async (t, env) => {
      const scene = await Scene.make(env);
      const writer = await scene.claim();
      await writer.write("web/10.0.0.1", "kept");
      const restore = await env.copy(scene.stream);
      await writer.write("web/10.0.0.2", "lost");
      await restore();
      t.equal(await outcome(writer.write("web/10.0.0.3", "late")), "Fenced rolled-back");
      t.same(await scene.rows(), { [scene.subject("web/10.0.0.1")]: "kept" });
      const next = await scene.claim();
      t.equal(await outcome(next.write("web/10.0.0.2", "again")), "done");
      scene.end();
    });

  add("a full stream holds the writer up; when there is room everything follows in order", async (t, env) => {
    // More than a window: a replicated stream counts what is on the wire against its limit.
    const scene = await Scene.make(env, { maxMessages: 200 });
    const writer = await scene.claim();
    const short: Promise<number>[] = [];
    for (let n = 0; n < 198; n += 1) short.push(writer.write(`web/10.0.1.${n}`, "for a while", 3));
    await Promise.all(short);
    const waiting = [1, 2, 3].map((n) => writer.write(`web/10.0.0.${n}`, `waited ${n}`));
    await until("trouble", () => writer.troubles.includes("full"));
    t.ok(writer.publisher.pending >= 2, "one may have found room");
    const [one = 0, ...others] = await Promise.all(waiting);
    t.same(others, [one + 1, one + 2]);
    const rows = Object.values(await scene.rows()).filter((body) => body !== "for a while");
    t.same(rows, ["waited 1", "waited 2", "waited 3"]);
    scene.end();
  });

  add(
    "a server killed in the middle of a burst: every message once, in order, none missing",
    async (t, env) => {
      const scene = await Scene.make(env);
      const wire = await env.link();
      const writer = await scene.claim(wire.bus);
      const count = 3000;
      let stored = 0;
      const done: Promise<number>[] = [];
      for (let n = 0; n < count; n += 1) {
        const sent = writer.write(`web/10.2.${n >> 8}.${n & 255}`, String(n));
        done.push(sent);
        void sent.then(() => (stored += 1));
      }
      await until("some are stored", () => stored > count / 10);
      await env.kill(scene.stream);
      await env.start();
      const sequences = await Promise.all(done);
      t.same(
        sequences,
        sequences.map((_, n) => (sequences[0] ?? 0) + n),
      );
      t.equal(Object.keys(await scene.rows()).length, count);
      scene.end();
    },
  );

  add("a stopped publisher rejects what waits, and idle says when nothing does", async (t, env) => {
    const scene = await Scene.make(env);
    const wire = await env.link();
    const writer = await scene.claim(wire.bus);
    await writer.publisher.idle();
    wire.hold();
    const waiting = outcome(writer.write("web/10.0.0.1", "waits"));
    const idle = outcome(writer.publisher.idle());
    scene.end();
    t.equal(await waiting, "BusError closed");
    t.equal(await idle, "BusError closed");
    t.equal(await outcome(writer.write("web/10.0.0.2", "too late")), "BusError closed");
    wire.release();
  });

  add("publishing is refused before the claim, and a second claim too", async (t, env) => {
    const scene = await Scene.make(env);
    const writer = await scene.claim();
    await t.rejects(
      writer.publisher.claim(() => {
        throw new Error("not asked");
      }),
      /has claimed already/,
    );
    t.equal(
      await outcome(scene.unclaimed().publish({ subject: "podgate.x", data: text("x") })),
      "Error publish before claim",
    );
    scene.end();
  });
}
