import { once } from "node:events";
import { Agent, createServer, request, type ClientRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { askLast } from "../../src/firewall/fortigate/last-moment.ts";

/** A server that notes the bodies it gets, and requests to it over one connection that is kept. */
async function serve(t: Test) {
  const bodies: string[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      bodies.push(await text(incoming));
      response.end("ok");
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => {
    agent.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const make = (may: () => boolean): ClientRequest => {
    const headers = { "content-length": 6 };
    const made = request({ host: "127.0.0.1", port, method: "PUT", agent, headers });
    return askLast(made, () => (may() ? undefined : new Error("not any more")));
  };
  return { bodies, make, server };
}

async function answered(sent: ClientRequest): Promise<string> {
  try {
    const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
    return await text(response);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Something else happens meanwhile. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test(
  "what is sent in pieces is asked for once, when it is whole, on a new connection and on a kept one",
  async (t) => {
    const { bodies, make } = await serve(t);
    for (const n of [1, 2]) {
      let asked = 0;
      const sent = make(() => (asked += 1) > 0);
      const answer = answered(sent);
      await new Promise((resolve) => sent.write("abc", resolve));
      await turn();
      t.equal(asked, 0);
      sent.write("def");
      sent.end();
      t.equal(await answer, "ok");
      t.equal(asked, 1);
      t.strictSame(
        bodies,
        Array.from({ length: n }, () => "abcdef"),
      );
    }
  },
);

t.test("a right that is lost between two pieces is a request of which nothing is sent", async (t) => {
  const { bodies, make } = await serve(t);
  for (const isKept of [false, true]) {
    let isAllowed = true;
    const sent = make(() => isAllowed);
    const answer = answered(sent);
    sent.write("abc");
    await turn();
    sent.write("def");
    isAllowed = false;
    sent.end();
    t.equal(await answer, "not any more", isKept ? "on a kept connection" : "on a new one");
    t.strictSame(bodies, isKept ? ["before"] : []);
    if (isKept) return;
    const before = make(() => true);
    before.end("before");
    t.equal(await answered(before), "ok");
  }
});

t.test("a connection that was made for a request which was broken off serves the next one", async (t) => {
  const { bodies, make, server } = await serve(t);
  const connected = once(server, "connection");
  const first = make(() => true);
  const broken = answered(first);
  first.destroy(new Error("broken off"));
  t.equal(await broken, "broken off");
  await connected;
  await turn();
  const next = make(() => true);
  next.end("second");
  t.equal(await answered(next), "ok");
  t.equal(next.reusedSocket, true);
  t.strictSame(bodies, ["second"]);
});
