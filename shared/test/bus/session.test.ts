import t from "tap";
import type { Delivery } from "../../src/bus/bus.ts";
import { until } from "./environment.ts";
import { natsEnvironment } from "./nats-environment.ts";
import { natsServerPath, NO_SERVER } from "./nats-server.ts";
import { drained, outcome, Scene } from "./scene.ts";

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
