import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import t, { type Test } from "tap";
import { skipWithout } from "../../tools/tool.ts";
import { startNetwork, type Link } from "../network.ts";

const skip = skipWithout("toxiproxy-server");

/** A server that sends back what it gets, and a link to it. */
async function echo(t: Test): Promise<Link> {
  const server = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const network = await startNetwork();
  t.teardown(async () => {
    await network.close();
    server.close();
  });
  return network.link("echo", `127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function client(t: Test, link: Link): Promise<Socket> {
  const [host, port] = link.address.split(":");
  const socket = connect(Number(port), host);
  t.teardown(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString();
}

t.test("a link passes everything, and a delayed one passes it later", { skip }, async (t) => {
  const link = await echo(t);
  const socket = await client(t, link);
  t.equal(await answer(socket, "one"), "one");
  await link.delay(200);
  const from = performance.now();
  t.equal(await answer(socket, "two"), "two");
  t.ok(performance.now() - from > 300, "there and back");
  await link.heal();
  t.equal(await answer(socket, "three"), "three");
});

t.test("a cut link ends connections and takes none, until it is healed", { skip }, async (t) => {
  const link = await echo(t);
  const socket = await client(t, link);
  const closed = once(socket, "close");
  await link.cut();
  await closed;
  await t.rejects(client(t, link), { code: "ECONNREFUSED" });
  await link.heal();
  t.equal(await answer(await client(t, link), "again"), "again");
});

t.test("a black hole keeps connections open and takes new ones, and nothing arrives", { skip }, async (t) => {
  const link = await echo(t);
  const socket = await client(t, link);
  t.equal(await answer(socket, "one"), "one");
  await link.blackHole();
  let heard = 0;
  const later = await client(t, link);
  for (const each of [socket, later]) {
    each.on("data", () => (heard += 1));
    each.write("lost");
  }
  // Long enough for what would come: an undisturbed answer takes a millisecond.
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.equal(heard, 0);
  t.notOk(socket.closed || later.closed);
  await link.heal();
  t.equal(await answer(await client(t, link), "again"), "again");
});

t.test("a link that resets ends what is open, and resets what connects and speaks", { skip }, async (t) => {
  const link = await echo(t);
  const open = await client(t, link);
  const closed = once(open, "close");
  await link.reset();
  await closed;
  const socket = await client(t, link);
  const failed = once(socket, "error");
  socket.write("x");
  const [error] = (await failed) as [NodeJS.ErrnoException];
  t.equal(error.code, "ECONNRESET");
});

t.test("a link that was delayed once is healed of a reset all the same", { skip }, async (t) => {
  const link = await echo(t);
  await link.delay(10);
  await link.heal();
  await link.reset(200);
  const [host, port] = link.address.split(":");
  const speak = (): void => {
    const socket = connect(Number(port), host).on("error", () => undefined);
    const speaking = setInterval(() => socket.write("x".repeat(200)), 5);
    socket.on("close", () => clearInterval(speaking));
    t.teardown(() => socket.destroy());
  };
  const coming = setInterval(speak, 50);
  t.teardown(() => clearInterval(coming));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const from = performance.now();
  await link.heal();
  t.ok(performance.now() - from < 10_000, "its API answers");
  t.equal(await answer(await client(t, link), "again"), "again");
});
