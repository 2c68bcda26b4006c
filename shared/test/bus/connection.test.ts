import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import t, { type Test } from "tap";
import { natsBus } from "../../src/bus/nats.ts";
import type { Bus } from "../../src/bus/bus.ts";
import type { ConnectionOptions } from "../../src/bus/connection.ts";
import { systemClock as clock } from "../../src/runtime/clock.ts";
import { until } from "./environment.ts";
import { freePorts, NatsServer, natsServerPath, NO_SERVER, type ServerOptions } from "./nats-server.ts";
import { outcome } from "./scene.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;

function directory(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), "podgate-connection-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function serve(t: Test, options: ServerOptions): Promise<NatsServer> {
  const server = new NatsServer(path ?? "", options);
  await server.start();
  t.teardown(() => server.remove());
  return server;
}

function attach(t: Test, url: string, more: Partial<ConnectionOptions> = {}): { bus: Bus; said: string[] } {
  const said: string[] = [];
  const bus = natsBus({
    servers: [url],
    name: "test",
    credentials: { kind: "none" },
    clock,
    random: Math.random,
    onTrouble: (message) => said.push(message),
    ...more,
  });
  t.teardown(() => bus.close());
  return { bus, said };
}

t.test("a server that is not there yet is waited for", { skip }, async (t) => {
  const [port = 0] = await freePorts(1);
  const { bus, said } = attach(t, `nats://127.0.0.1:${port}`);
  t.equal(bus.connected, false);
  t.equal(await outcome(bus.streamInfo("PODGATE_c")), "BusError unknown");
  t.equal(
    await outcome(bus.consume("PODGATE_c", AbortSignal.timeout(1000))[Symbol.asyncIterator]().next()),
    "BusError interrupted",
  );
  await until("a few attempts", () => said.length >= 3);
  t.match(said[0], /ECONNREFUSED/);
  const server = new NatsServer(path ?? "", { port });
  t.teardown(() => server.remove());
  await server.start();
  await until("a connection", () => bus.connected);
  t.equal(await bus.streamInfo("PODGATE_c"), undefined);
});

t.test("close ends the waiting, and twice is once", async (t) => {
  const [port = 0] = await freePorts(1);
  const { bus } = attach(t, `nats://127.0.0.1:${port}`);
  await bus.close();
  await bus.close();
  t.equal(await outcome(bus.streamInfo("PODGATE_c")), "BusError closed");
  t.equal(
    await outcome(bus.publish({ stream: "s", subject: "s", data: new Uint8Array(), expectLastSequence: 0 })),
    "BusError closed",
  );
});

t.test(
  "a changed password is read at the next attempt, also through a swapped symlink; neither shows",
  { skip },
  async (t) => {
    const server = await serve(t, { users: [{ user: "u", password: "first-secret" }] });
    const dir = directory(t);
    writeFileSync(join(dir, "one"), "first-secret\n");
    writeFileSync(join(dir, "two"), "second-secret\n");
    symlinkSync("one", join(dir, "password"));
    const credentials = { kind: "password", user: "u", passwordFile: join(dir, "password") } as const;
    const { bus, said } = attach(t, server.url, { credentials });
    await until("a connection", () => bus.connected);
    await server.restart([{ user: "u", password: "second-secret" }]);
    await until("refusals", () => said.filter((line) => /refuses these credentials/.test(line)).length >= 3);
    t.equal(bus.connected, false);
    symlinkSync("two", join(dir, "swap"));
    renameSync(join(dir, "swap"), join(dir, "password"));
    await until("a connection with the new one", () => bus.connected);
    t.notMatch(said.join("\n"), /secret/);
  },
);

t.test("a token, and an nkey", { skip }, async (t) => {
  const dir = directory(t);
  const token = await serve(t, { token: "the-token" });
  writeFileSync(join(dir, "token"), "the-token\n");
  const withToken = attach(t, token.url, { credentials: { kind: "token", tokenFile: join(dir, "token") } });
  await until("a connection by token", () => withToken.bus.connected);

  const pair = nkeys.createUser();
  const keyed = await serve(t, { users: [{ nkey: pair.getPublicKey() }] });
  writeFileSync(join(dir, "seed"), pair.getSeed());
  const withKey = attach(t, keyed.url, { credentials: { kind: "nkey", seedFile: join(dir, "seed") } });
  await until("a connection by nkey", () => withKey.bus.connected);
});

t.test("a credentials file that is missing or malformed is named, and tried again", { skip }, async (t) => {
  const server = await serve(t, {});
  const dir = directory(t);
  const file = join(dir, "seed");
  const { bus, said } = attach(t, server.url, { credentials: { kind: "nkey", seedFile: file } });
  await until("the fault", () => said.includes(`NATS credentials file ${file} cannot be read (ENOENT)`));
  writeFileSync(file, "SUNOTASEED");
  await until("the other fault", () =>
    said.includes(`NATS credentials file ${file} does not hold a valid key`),
  );
  const creds = attach(t, server.url, { credentials: { kind: "creds", credsFile: file } });
  await until("the third", () =>
    creds.said.includes(`NATS credentials file ${file} does not hold a valid key`),
  );
  t.equal(bus.connected, false);
  writeFileSync(file, nkeys.createUser().getSeed());
  await until("a connection", () => bus.connected);
});

t.test(
  "TLS with an own CA and client certificates; without the CA there is no connection",
  { skip: skip || noOpenssl() },
  async (t) => {
    const dir = directory(t);
    certificates(dir);
    const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    const server = await serve(t, { tls: { cert, key, ca } });
    const url = server.url.replace("nats:", "tls:");
    const good = attach(t, url, { tls: { caFile: ca, certFile: cert, keyFile: key } });
    await until("a connection", () => good.bus.connected);
    const blind = attach(t, url, { tls: {} });
    await until("a refusal", () => blind.said.length >= 2);
    t.match(blind.said.join("\n"), /certificate/i);
    const nameless = attach(t, url, { tls: { caFile: ca } });
    await until("a refusal without a client certificate", () => nameless.said.length >= 2);
    t.equal(blind.bus.connected || nameless.bus.connected, false);
    const plain = attach(t, server.url, { tls: { caFile: join(dir, "missing.pem") } });
    await until("a missing CA is named", () => plain.said.some((line) => line.includes("missing.pem")));
  },
);

function noOpenssl(): string | false {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "needs openssl to make certificates";
  }
}

function certificates(dir: string): void {
  const openssl = (line: string): void => {
    execFileSync("openssl", line.split(" "), { cwd: dir, stdio: "ignore" });
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca`);
  openssl(`req ${key} -keyout key.pem -out cert.csr -subj /CN=127.0.0.1`);
  writeFileSync(join(dir, "san"), "subjectAltName=IP:127.0.0.1\n");
  openssl(
    "x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out cert.pem",
  );
}
