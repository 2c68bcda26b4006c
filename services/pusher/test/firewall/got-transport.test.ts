import { once } from "node:events";
import { createServer as createPlain } from "node:http";
import { createServer, type Server } from "node:https";
import type { RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { inspect } from "node:util";
import { makeCertificates } from "@podgate/fortios-simulator/certificate";
import { startSimulator } from "@podgate/fortios-simulator/simulator";
import { systemClock } from "@podgate/shared/runtime/clock";
import t, { type Test } from "tap";
import { FortiGate } from "../../src/firewall/fortigate/adapter.ts";
import { gotTransport, type GotTransportOptions } from "../../src/firewall/fortigate/got-transport.ts";
import { fortiGateNames } from "../../src/firewall/fortigate/naming.ts";
import { TransportError, type TransportRequest } from "../../src/firewall/fortigate/transport.ts";

const TOKEN = "canary-of-the-token";
const BODY = "canary-of-the-body";
const certificates = await makeCertificates(["localhost", "127.0.0.1"], Date.now());
const foreign = await makeCertificates(["127.0.0.1"], Date.now());

interface Local {
  readonly url: string;
  readonly server: Server;
  connections: number;
  requests: number;
}

/** An HTTPS server that lives as long as its test. */
async function serve(t: Test, listener: RequestListener, tls = certificates): Promise<Local> {
  const sockets = new Set<Socket>();
  const server = createServer({ key: tls.key, cert: tls.certificate });
  const local: Local = { url: "", server, connections: 0, requests: 0 };
  server.on("secureConnection", () => (local.connections += 1));
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("request", (request, response) => {
    local.requests += 1;
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(local, { url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
}

function connect(t: Test, options: Partial<GotTransportOptions> & { readonly url: string }) {
  const transport = gotTransport({ token: () => TOKEN, ca: () => certificates.ca, ...options });
  t.teardown(() => transport.close());
  return transport;
}

const request = (fields: Partial<TransportRequest> = {}): TransportRequest => ({
  method: "PUT",
  path: "/api/v2/cmdb/firewall/address",
  query: [["vdom", "root"]],
  body: JSON.stringify({ name: BODY }),
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  ...fields,
});

function get(): TransportRequest {
  const { body: _, ...bare } = request({ method: "GET" });
  return bare;
}

/** The error, once it was seen to be ours and to hold no secret anywhere. */
async function failure(t: Test, sent: Promise<unknown>): Promise<{ kind: string; maybeSent: boolean }> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const everything = `${inspect(error, { depth: 20, showHidden: true })} ${error.stack ?? ""} ${JSON.stringify(error)}`;
    t.notMatch(everything, /canary/);
    t.equal(error.cause, undefined);
    return { kind: error.kind, maybeSent: error.maybeSent };
  }
  throw new Error("it was answered");
}

t.test("asks as FortiOS wants it", async (t) => {
  const seen: Record<string, unknown> = {};
  const local = await serve(t, (incoming, response) => {
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
    incoming.on("end", () => {
      Object.assign(seen, { method: incoming.method, url: incoming.url, headers: incoming.headers, body });
      response.setHeader("X-Thing", "1").end('{"status":"success"}');
    });
  });
  const response = await connect(t, local).send(
    request({
      query: [
        ["vdom", "a b"],
        ["filter", "name=@x&y"],
      ],
      path: "/api/v2/cmdb/firewall/address/a%2Fb",
    }),
  );
  t.match(response, { status: 200, body: '{"status":"success"}', headers: { "x-thing": "1" } });
  t.match(seen, {
    method: "PUT",
    url: "/api/v2/cmdb/firewall/address/a%2Fb?vdom=a%20b&filter=name%3D%40x%26y",
    body: `{"name":"${BODY}"}`,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      accept: "application/json",
    },
  });
});

t.test("a GET and a DELETE have no body", async (t) => {
  const lengths: (string | undefined)[] = [];
  const local = await serve(t, (incoming, response) => {
    lengths.push(incoming.headers["content-length"] ?? incoming.headers["content-type"]);
    response.end("{}");
  });
  const transport = connect(t, local);
  await transport.send(get());
  await transport.send({ ...get(), method: "DELETE" });
  t.strictSame(lengths, [undefined, undefined]);
});

t.test("any status is an answer, and is asked for once", async (t) => {
  for (const status of [400, 401, 404, 429, 500, 502, 503]) {
    const local = await serve(t, (_, response) => response.writeHead(status).end("<html>"));
    t.match(await connect(t, local).send(get()), { status, body: "<html>" });
    t.equal(local.requests, 1, String(status));
  }
});

t.test("the authority is verified", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  t.match(await connect(t, local).send(request()), { status: 200 });
  const refused = { kind: "tls", maybeSent: false };
  t.strictSame(await failure(t, connect(t, { ...local, ca: () => foreign.ca }).send(request())), refused);
  t.strictSame(await failure(t, connect(t, { ...local, ca: () => undefined }).send(request())), refused);
  const named = await serve(
    t,
    (_, response) => response.end("{}"),
    await makeCertificates(["fw.example"], Date.now()),
  );
  t.strictSame(await failure(t, connect(t, named).send(request())), refused, "wrong authority and name");
  t.equal(local.requests, 1);
});

t.test("the name in the certificate is verified", async (t) => {
  const other = await makeCertificates(["fw.example"], Date.now());
  const local = await serve(t, (_, response) => response.end("{}"), other);
  const transport = connect(t, { ...local, ca: () => other.ca });
  t.strictSame(await failure(t, transport.send(request())), { kind: "tls", maybeSent: false });
  t.equal(local.requests, 0);
});

t.test("token and authority are asked for each time", async (t) => {
  const tokens: (string | undefined)[] = [];
  const local = await serve(t, (incoming, response) => {
    tokens.push(incoming.headers.authorization);
    response.end("{}");
  });
  let token = "one";
  let ca = foreign.ca;
  const transport = connect(t, { ...local, token: () => token, ca: () => ca });
  await failure(t, transport.send(request()));
  ca = certificates.ca;
  await transport.send(request());
  token = "two";
  await transport.send(request());
  t.strictSame(tokens, ["Bearer one", "Bearer two"]);
});

t.test("a redirect is an answer and is not followed", async (t) => {
  const elsewhere = await serve(t, (_, response) => response.end("{}"));
  for (const status of [301, 302, 303, 307, 308]) {
    const local = await serve(t, (_, response) =>
      response.writeHead(status, { location: elsewhere.url }).end(),
    );
    t.match(await connect(t, local).send(request()), { status });
    t.match(await connect(t, local).send(get()), { status });
  }
  t.equal(elsewhere.connections, 0);
});

t.test("connections are kept open and used again", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  const transport = connect(t, local);
  for (let n = 0; n < 5; n += 1) await transport.send(request());
  t.equal(local.requests, 5);
  t.equal(local.connections, 1);
});

t.test("many at once open two connections", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  const transport = connect(t, local);
  await Promise.all(Array.from({ length: 10 }, () => transport.send(request())));
  t.equal(local.connections, 2);
});

t.test("an abort closes the socket at once", async (t) => {
  const stop = new AbortController();
  const closed = Promise.withResolvers<undefined>();
  const local = await serve(t, (incoming) => {
    incoming.socket.on("close", () => closed.resolve(undefined));
    stop.abort(new Error("lease lost"));
  });
  const sent = connect(t, local).send(request({ signal: stop.signal }));
  t.strictSame(await failure(t, sent), { kind: "aborted", maybeSent: true });
  await closed.promise;
  t.strictSame(await failure(t, connect(t, local).send(request({ signal: stop.signal }))), {
    kind: "aborted",
    maybeSent: false,
  });
  t.equal(local.requests, 1);
});

t.test("what may not be sent any more when it is about to leave does not", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  const transport = connect(t, { url: local.url });
  let isMine = true;
  const sent = transport.send(request({ may: () => isMine }));
  isMine = false;
  t.strictSame(await failure(t, sent), { kind: "aborted", maybeSent: false });
  t.equal(local.requests, 0);
  t.equal((await transport.send(request({ may: () => true }))).status, 200);
});

t.test("a right that is lost while a connection is made is a request that is not sent", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  let isAllowed = true;
  // It is there, and TLS is still to be agreed on.
  local.server.once("connection", () => (isAllowed = false));
  const transport = connect(t, local);
  const sent = transport.send(request({ may: () => isAllowed }));
  t.strictSame(await failure(t, sent), { kind: "aborted", maybeSent: false });
  isAllowed = true;
  t.match(await transport.send(request({ may: () => isAllowed })), { status: 200 });
  t.equal(local.requests, 1);
});

t.test("no answer in time", async (t) => {
  const local = await serve(t, () => undefined);
  const transport = connect(t, local);
  t.strictSame(await failure(t, transport.send(request({ timeoutMs: 100 }))), {
    kind: "timeout",
    maybeSent: true,
  });
  t.equal(local.requests, 1, "not tried again");
});

t.test("a connection that breaks after the request may have done it", async (t) => {
  const local = await serve(t, (incoming) => incoming.socket.destroy());
  const transport = connect(t, local);
  for (const method of ["GET", "DELETE"] as const) {
    t.match(
      await failure(t, transport.send({ ...get(), method })),
      { kind: "reset", maybeSent: true },
      method,
    );
  }
  for (const method of ["PUT", "POST"] as const) {
    t.strictSame(
      await failure(t, transport.send(request({ method }))),
      { kind: "reset", maybeSent: true },
      method,
    );
  }
  t.equal(local.requests, 4, "none is tried again");
});

t.test("an answer that ends too early", async (t) => {
  const local = await serve(t, (incoming, response) => {
    response.writeHead(200, { "content-length": "1000" }).write('{"status":');
    setImmediate(() => incoming.socket.destroy());
  });
  t.strictSame(await failure(t, connect(t, local).send(request())), { kind: "reset", maybeSent: true });
});

t.test("an idle connection that the device closed is told from one never made", async (t) => {
  const sockets: Socket[] = [];
  const local = await serve(t, (incoming, response) => {
    sockets.push(incoming.socket);
    if (local.requests > 1) incoming.socket.destroy();
    else response.end("{}");
  });
  const transport = connect(t, local);
  await transport.send(request());
  t.strictSame(await failure(t, transport.send(request())), { kind: "reset", maybeSent: true });
  t.equal(sockets[0], sockets[1], "the same connection");
});

t.test("nobody listens", async (t) => {
  const local = await serve(t, () => undefined);
  local.server.close();
  await once(local.server, "close");
  t.strictSame(await failure(t, connect(t, local).send(request())), { kind: "refused", maybeSent: false });
});

t.test("a host name that is not known", async (t) => {
  const transport = connect(t, { url: "https://firewall.invalid" });
  t.strictSame(await failure(t, transport.send(request())), { kind: "dns", maybeSent: false });
});

t.test("a token that no header can hold stays out of the error", async (t) => {
  const local = await serve(t, (_, response) => response.end("{}"));
  const broken = connect(t, { ...local, token: () => `${TOKEN}\nx` });
  t.match(await failure(t, broken.send(request())), { maybeSent: false });
  const thrown = connect(t, {
    ...local,
    token: () => {
      throw new Error(`can't read ${TOKEN}`);
    },
  });
  t.match(await failure(t, thrown.send(request())), { maybeSent: false });
  t.equal(local.requests, 0);
});

t.test("URLs that it will not use, named without what is secret in them", async (t) => {
  const cases: readonly [string, RegExp][] = [
    ["firewall.example.com", /url/],
    ["ftp://firewall.example.com", /url/],
    ["https://admin:canary@firewall.example.com", /must not hold/],
    ["https://firewall.example.com/api", /only/],
    ["https://firewall.example.com/?access_token=canary", /only/],
    ["http://firewall.example.com", /https/],
  ];
  for (const [url, message] of cases) {
    t.throws(() => gotTransport({ url, token: () => TOKEN }), { name: "RangeError", message }, url);
    try {
      gotTransport({ url, token: () => TOKEN });
    } catch (error) {
      t.notMatch(inspect(error), /canary/);
    }
  }
  const plain = { token: () => TOKEN, allowPlainHttp: true };
  t.throws(() => gotTransport({ ...plain, url: "http://firewall.example.com" }), { message: /loopback/ });
  t.throws(() => gotTransport({ ...plain, url: "http://127.0.0.1.example.com" }), { message: /loopback/ });
});

t.test("plain HTTP to a loopback address, where it was allowed", async (t) => {
  const server = createPlain((_, response) => response.end("{}"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  t.match(await connect(t, { url, allowPlainHttp: true }).send(request()), { status: 200 });
});

t.test("the adapter over HTTPS against the simulator, a lost reply among it", async (t) => {
  const simulator = await startSimulator({ token: TOKEN });
  t.teardown(() => simulator.close());
  const transport = connect(t, { url: simulator.url, ca: () => simulator.ca });
  const names = fortiGateNames("lab1");
  const firewall = new FortiGate({ transport, vdom: "root", timeoutMs: 2000, names, clock: systemClock });
  const { signal } = new AbortController();
  t.match(await firewall.identity(signal), { serial: "FGVM010000000001" });
  const address = "2001:db8::1";
  const step = { kind: "create-address", name: names.address(address), address, reason: "test" } as const;
  simulator.device.faults.add({ kind: "reset-after", methods: ["POST"] });
  t.strictSame(await firewall.apply(step, signal), { result: "done", changed: true });
  t.strictSame([...(await firewall.read([], signal)).addresses.keys()], [names.address(address)]);
  t.notMatch(JSON.stringify(simulator.log()), TOKEN);
});
