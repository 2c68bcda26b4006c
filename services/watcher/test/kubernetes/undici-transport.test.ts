import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { makeCertificates } from "@podgate/fortios-simulator/certificate";
import t, { type Test } from "tap";
import { KubernetesError, readText, requestJson } from "../../src/kubernetes/transport.ts";
import { UndiciTransport } from "../../src/kubernetes/undici-transport.ts";

const TOKEN = "canary-4711";
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const CERTIFICATES = await makeCertificates(["127.0.0.1"], Date.now());

/** A real server on a free port, and its open sockets. */
async function serve(t: Test, handle: Handler) {
  const server = createServer({ key: CERTIFICATES.key, cert: CERTIFICATES.certificate }, handle);
  const sockets = new Set<Socket>();
  const count = { most: 0, ever: 0 };
  server.on("secureConnection", (socket: Socket) => {
    sockets.add(socket);
    count.ever += 1;
    count.most = Math.max(count.most, sockets.size);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, count };
}

function transportTo(t: Test, server: string, { ca = CERTIFICATES.ca, token = TOKEN } = {}) {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      { name: "c", server, ...(ca !== undefined && { caData: Buffer.from(ca).toString("base64") }) },
    ],
    users: [{ name: "u", token }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const transport = new UndiciTransport(config);
  t.teardown(() => transport.close());
  return transport;
}

const get = (path: string, signal = new AbortController().signal) => ({
  method: "GET" as const,
  path,
  signal,
});

t.test("HTTP/1.1 is spoken also where the server offers HTTP/2, as kube-apiserver does", async (t) => {
  const { key, certificate: cert } = CERTIFICATES;
  const server = createSecureServer({ key, cert, allowHTTP1: true }, ({ httpVersion }, response) =>
    response.end(JSON.stringify({ httpVersion })),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const transport = transportTo(t, `https://127.0.0.1:${port}`);
  t.same(await requestJson(transport, get("/api")), { httpVersion: "1.1" });
});

t.test("no more sockets than watches and two after 100 reconnects, ended and aborted ones", async (t) => {
  const watching = new Set<ServerResponse>();
  const server = await serve(t, (request, response) => {
    if (request.url?.includes("watch") !== true) {
      response.end("{}");
      return;
    }
    watching.add(response);
    response.on("close", () => watching.delete(response));
    response.write('{"type":"BOOKMARK"}\n');
  });
  const transport = transportTo(t, server.url);
  const WATCHES = 5;
  for (let round = 0; round < 100; round += 1) {
    const aborts = Array.from({ length: WATCHES }, () => new AbortController());
    const bodies = await Promise.all(
      aborts.map(async ({ signal }, at) => (await transport.open(get(`/w${at}?watch=1`, signal))).body),
    );
    await requestJson(transport, get("/one"));
    // Every second one ends in order, as after its 40 s; the others are given up, as by the watchdog.
    const reading = bodies.map(async (body) => {
      for await (const chunk of body) if (chunk.byteLength === 0) break;
    });
    for (const [at, abort] of aborts.entries()) if (at % 2 === 0) abort.abort();
    for (const response of watching) response.end();
    await Promise.allSettled(reading);
  }
  t.ok(server.count.most <= WATCHES + 2, `${server.count.most} at most at once`);
  t.ok(server.sockets.size <= WATCHES + 2, `${server.sockets.size} at the end`);
});

t.test("a body that arrives in pieces over TLS, with the token in its header", async (t) => {
  let authorization: string | undefined;
  const handle: Handler = (request, response) => {
    ({ authorization } = request.headers);
    response.write('{"a":');
    response.end("1}");
  };
  const server = await serve(t, handle);
  const transport = transportTo(t, server.url);
  t.strictSame(await requestJson(transport, get("/api")), { a: 1 });
  t.equal(authorization, `Bearer ${TOKEN}`);
});

t.test("a server of another authority is refused, and learns no token", async (t) => {
  const { ca } = await makeCertificates(["127.0.0.1"], Date.now());
  let asked = 0;
  const server = await serve(t, () => (asked += 1));
  const opened = transportTo(t, server.url, { ca }).open(get("/api"));
  await t.rejects(opened, { kind: "unreachable", message: /certificate/i });
  t.equal(asked, 0);
});

t.test("a redirect is not followed", async (t) => {
  const elsewhere = await serve(t, (_, response) => response.end("{}"));
  const server = await serve(t, (_, response) =>
    response.writeHead(302, { location: `${elsewhere.url}/steal` }).end(),
  );
  await t.rejects(requestJson(transportTo(t, server.url), get("/api")), { message: /HTTP 302/ });
  t.equal(elsewhere.count.ever, 0);
});

t.test("every failure is made anew: its kind, and never the token", async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === "/reset") request.socket.destroy();
    else if (request.url === "/half") {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      setImmediate(() => request.socket.destroy());
    } else if (request.url === "/text") response.end("not json");
    else response.writeHead(Number(request.url?.slice(1))).end('{"message":"said the server"}');
  });
  const transport = transportTo(t, server.url);
  const expected: Record<string, string> = {
    "/reset": "unreachable",
    "/half": "unreachable",
    "/text": "parse",
    "/401": "unauthorized",
    "/403": "forbidden",
    "/404": "not-found",
    "/409": "conflict",
    "/410": "gone",
    "/422": "invalid",
    "/429": "server",
    "/500": "server",
    "/503": "server",
  };
  for (const [path, kind] of Object.entries(expected)) {
    const error: unknown = await requestJson(transport, get(path)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    t.match(error, { name: "KubernetesError", kind });
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), TOKEN);
    if (/\d/.test(path)) t.match(error, { message: /said the server/ });
  }
  const broken = transportTo(t, server.url, { token: `${TOKEN}\nx: y` });
  const error: unknown = await broken.open(get("/text")).catch((reason: unknown) => reason);
  t.match(error, { name: "KubernetesError" });
  t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), TOKEN);
});

t.test("nobody there is unreachable; an abort is aborted and closes the socket", async (t) => {
  const server = await serve(t, (_, response) => response.write("{"));
  const transport = transportTo(t, server.url);
  const abort = new AbortController();
  const { body } = await transport.open(get("/watch", abort.signal));
  const [socket] = server.sockets;
  const closed = socket === undefined ? undefined : once(socket, "close");
  const reading = readText({ status: 200, body });
  abort.abort();
  await t.rejects(reading, { name: "KubernetesError", message: "aborted" });
  await closed;
  t.equal(server.sockets.size, 0);
  // Nobody may listen on port 1 of this machine; where somebody does, he speaks no TLS.
  const nobody = transportTo(t, "https://127.0.0.1:1");
  await t.rejects(nobody.open(get("/api")), { name: "KubernetesError", message: /^API server: / });
});

t.test("credentials that cannot be read are told without what they say", async (t) => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "c", server: "https://127.0.0.1:1" }],
    users: [
      {
        name: "u",
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command: process.execPath,
          args: ["-e", `console.error("${TOKEN}"); process.exit(3)`],
          interactiveMode: "Never",
        },
      },
    ],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const error: unknown = await new UndiciTransport(config)
    .open(get("/api"))
    .catch((reason: unknown) => reason);
  t.match(error, { kind: "unauthorized", message: /credentials for the API server cannot be read/ });
  t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), TOKEN);
});

t.test("a connection that fell silent takes the idle ones beside it with it", async (t) => {
  const mute = new WeakSet<object>();
  const server = await serve(t, (request, response) => {
    if (!mute.has(request.socket)) response.end("{}");
  });
  const transport = transportTo(t, server.url);
  const paths = ["/one", "/two", "/three"];
  const askAll = () => Promise.all(paths.map((path) => requestJson(transport, get(path))));
  await askAll();
  for (const socket of server.sockets) mute.add(socket);
  const before = server.count.ever;
  t.equal(before, paths.length, "several connections are idle");
  const silence = new AbortController();
  const asked = transport.open(get("/asked", silence.signal));
  silence.abort(new KubernetesError("silent", "no byte for 1 ms"));
  await t.rejects(asked, KubernetesError);
  t.strictSame(await askAll(), [{}, {}, {}], "the next requests are answered at once");
  t.equal(server.count.ever, 2 * before, "over new connections");
});
