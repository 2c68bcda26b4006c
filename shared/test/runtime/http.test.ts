import { connect } from "node:net";
import { once } from "node:events";
import t, { type Test } from "tap";
import { type OpsOptions, type OpsServer, startOpsServer } from "../../src/runtime/http.ts";
import { Metrics } from "../../src/runtime/metrics.ts";

async function serve(t: Test, options: Partial<OpsOptions> = {}): Promise<OpsServer & { url: string }> {
  const metrics = new Metrics("test", "1.2.3");
  const server = await startOpsServer({
    host: "127.0.0.1",
    port: 0,
    live: {},
    ready: {},
    metrics,
    ...options,
  });
  t.teardown(() => server.close());
  return { ...server, url: `http://127.0.0.1:${server.port}` };
}

t.test("livez and readyz answer 200 while all is well, and 503 with the reason when not", async (t) => {
  let trouble: string | undefined;
  const { url } = await serve(t, {
    live: { loop: () => undefined },
    ready: { nats: () => trouble, configuration: () => undefined },
  });
  const well = await fetch(`${url}/readyz`);
  t.equal(well.status, 200);
  t.same(await well.json(), { nats: "ok", configuration: "ok" });
  trouble = "NATS was not reached yet";
  const bad = await fetch(`${url}/readyz`);
  t.equal(bad.status, 503);
  t.same(await bad.json(), { nats: "NATS was not reached yet", configuration: "ok" });
  t.equal((await fetch(`${url}/livez`)).status, 200, "life does not depend on readiness");
});

t.test("a check that fails itself is not well, and shows no secret", async (t) => {
  const { url } = await serve(t, {
    live: {
      loop: () => {
        throw new Error("token=hunter2");
      },
    },
  });
  const answer = await fetch(`${url}/livez`);
  t.equal(answer.status, 503);
  const text = await answer.text();
  t.match(text, "the check failed");
  t.notMatch(text, "hunter2");
});

t.test("metrics are served as Prometheus reads them", async (t) => {
  const { url } = await serve(t);
  const answer = await fetch(`${url}/metrics`);
  t.match(answer.headers.get("content-type"), "text/plain; version=0.0.4");
  t.match(await answer.text(), '\npodgate_build_info{service="test",version="1.2.3"} 1\n');
});

t.test("a service adds routes of its own, whose failures show no secret", async (t) => {
  const { url } = await serve(t, {
    routes: (app) => {
      app.get("/status", () => ({ targets: 2 }));
      app.get("/broken", () => {
        throw new Error("at https://u:hunter2@fw/");
      });
    },
  });
  t.same(await (await fetch(`${url}/status`)).json(), { targets: 2 });
  const broken = await fetch(`${url}/broken`);
  t.equal(broken.status, 500);
  t.notMatch(await broken.text(), "hunter2");
  t.equal((await fetch(`${url}/other`)).status, 404);
});

t.test("a port that is taken is a fault of the user's that names the field", async (t) => {
  const { port } = await serve(t);
  await t.rejects(serve(t, { port }), {
    name: "UserError",
    message: /ops\.port: 127\.0\.0\.1 port \d+: cannot listen there \(EADDRINUSE\)/,
  });
});

t.test("closing does not wait for connections that are idle or never ask", async (t) => {
  const metrics = new Metrics("test", "1");
  const server = await startOpsServer({ host: "127.0.0.1", port: 0, live: {}, ready: {}, metrics });
  await (await fetch(`http://127.0.0.1:${server.port}/livez`)).text(); // kept alive by fetch
  const mute = connect(server.port, "127.0.0.1");
  await once(mute, "connect");
  const half = connect(server.port, "127.0.0.1");
  await once(half, "connect");
  half.write("GET /livez HTTP/1.1\r\nHost:");
  for (const socket of [mute, half]) socket.on("error", () => undefined).resume();
  const ended = Promise.all([once(mute, "close"), once(half, "close")]);
  const started = performance.now();
  await server.close();
  await ended;
  t.ok(performance.now() - started < 2500, `${performance.now() - started} ms`);
  await t.rejects(fetch(`http://127.0.0.1:${server.port}/livez`));
});

t.test("a request in flight is answered before the server is gone", async (t) => {
  const inside = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const server = await serve(t, {
    routes: (app) => {
      app.get("/slow", async () => {
        inside.resolve();
        await gate.promise;
        return { done: true };
      });
    },
  });
  const answer = fetch(`${server.url}/slow`);
  await inside.promise;
  const closing = server.close();
  gate.resolve();
  t.same(await (await answer).json(), { done: true });
  await closing;
});
