import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import { startSimulator, type Simulator } from "../src/simulator.ts";
import type { SimulatorOptions } from "../src/simulator.ts";

interface Reply {
  readonly status: number;
  readonly text: string;
}

async function started(
  test: { teardown: (end: () => Promise<void>) => void },
  options: SimulatorOptions = {},
): Promise<Simulator> {
  const simulator = await startSimulator(options);
  test.teardown(() => simulator.close());
  return simulator;
}

/** Rejects with the error of the connection. */
function send(
  simulator: Simulator,
  method: string,
  path: string,
  body?: unknown,
  more: { agent?: Agent; signal?: AbortSignal; ca?: string | undefined } = {},
): Promise<Reply> {
  const ask = simulator.url.startsWith("https") ? httpsRequest : httpRequest;
  const headers = { authorization: `Bearer ${simulator.token}` };
  return new Promise((resolve, reject) => {
    const request = ask(
      `${simulator.url}/api/v2/${path}`,
      { method, headers, ca: simulator.ca, ...more },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function control(simulator: Simulator, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

t.test("HTTPS with an authority of its own, written to a file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fortios-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const caFile = join(folder, "ca.pem");
  const simulator = await started(t, { caFile });
  t.match(simulator.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.equal(await readFile(caFile, "utf8"), simulator.ca);
  t.equal((await send(simulator, "GET", "monitor/system/status")).status, 200);
  await t.rejects(fetch(`${simulator.url}/`), "nobody else trusts it");
});

t.test("another certificate ends connections, and is trusted by those who trust its authority", async (t) => {
  const simulator = await started(t);
  const { ca: before } = simulator;
  const agent = new Agent({ keepAlive: true, ca: before });
  t.teardown(() => {
    agent.destroy();
  });
  const ask = (trusting: Agent) =>
    send(simulator, "GET", "monitor/system/status", undefined, { agent: trusting });
  t.equal((await ask(agent)).status, 200);
  const { ca } = (await control(simulator, "POST", "/certificate")) as { ca: string };
  t.equal(ca, simulator.ca);
  t.not(ca, before);
  await t.rejects(send(simulator, "GET", "monitor/system/status", undefined, { ca: before }));
  t.equal((await send(simulator, "GET", "monitor/system/status")).status, 200);
});

t.test("a connection is kept, and counted once", async (t) => {
  const simulator = await started(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: simulator.ca });
  t.teardown(() => {
    agent.destroy();
  });
  for (const _ of [1, 2, 3]) await send(simulator, "GET", "cmdb/firewall/address", undefined, { agent });
  t.equal(Object.values(agent.freeSockets).flat().length, 1);
  t.strictSame(
    simulator.log().map(({ id }) => id),
    [1, 2, 3],
  );
});

t.test("plain HTTP by option", async (t) => {
  const simulator = await started(t, { plain: true, token: "other" });
  t.match(simulator.url, /^http:\/\//);
  t.equal(simulator.ca, undefined);
  t.equal(simulator.token, "other");
  t.equal(
    (await send(simulator, "POST", "cmdb/firewall/address", { name: "ä", subnet: "10.0.0.1/32" })).status,
    200,
  );
  t.ok(simulator.device.address("root", "ä"), "UTF-8");
});

t.test("resets and lost replies, over TLS and without", async (t) => {
  for (const plain of [true, false]) {
    const simulator = await started(t, { plain });
    const create = (name: string, signal?: AbortSignal): Promise<Reply> =>
      send(
        simulator,
        "POST",
        "cmdb/firewall/address",
        { name, subnet: "10.0.0.1/32" },
        signal === undefined ? {} : { signal },
      );
    simulator.device.faults.add({ kind: "reset-before" });
    await t.rejects(create("a"), { code: "ECONNRESET" });
    t.equal(simulator.device.address("root", "a"), undefined);
    simulator.device.faults.add({ kind: "reset-after" });
    await t.rejects(create("b"), { code: "ECONNRESET" });
    t.ok(simulator.device.address("root", "b"));
    simulator.device.faults.add({ kind: "reply-lost" });
    const abort = new AbortController();
    simulator.device.subscribe((entry) => {
      if (entry.outcome === "hang") abort.abort();
    });
    await t.rejects(create("c", abort.signal), { name: "AbortError" });
    t.ok(simulator.device.address("root", "c"), "it was done");
    t.equal((await create("d")).status, 200, "the next one is answered");
  }
});

t.test("writes wait for each other, reads do not wait", async (t) => {
  const simulator = await started(t, { plain: true, latency: { write: 60 } });
  const done: string[] = [];
  const write = (name: string): Promise<number> =>
    send(simulator, "POST", "cmdb/firewall/address", { name, subnet: "10.0.0.1/32" }).then(() =>
      done.push(name),
    );
  const begun = performance.now();
  const writes = [write("a"), write("b"), write("c")];
  const read = send(simulator, "GET", "monitor/system/status").then(() => done.push("read"));
  await Promise.all([...writes, read]);
  t.ok(performance.now() - begun >= 3 * 60 - 5, "three holds, one after the other");
  t.equal(done[0], "read");
  const applied = simulator.log({ writes: true }).map(({ appliedAt }) => appliedAt);
  t.strictSame(
    applied,
    applied.toSorted((one, two) => one - two),
    "logged in the order in which they were done",
  );
});

t.test("what a client gave up on is done all the same", async (t) => {
  const simulator = await started(t, { plain: true });
  const { faults } = simulator.device;
  faults.add({ kind: "slow", ms: 200 });
  const logged = new Promise((resolve) => {
    simulator.device.subscribe(resolve);
  });
  const abort = new AbortController();
  const given = send(
    simulator,
    "POST",
    "cmdb/firewall/address",
    { name: "a", subnet: "10.0.0.1/32" },
    { signal: abort.signal },
  );
  const refused = t.rejects(given, { name: "AbortError" });
  // A fault that is used up is a request that has arrived.
  for (const end = Date.now() + 5000; faults.list().length > 0 && Date.now() < end;) await nextTurn();
  t.equal(simulator.device.address("root", "a"), undefined, "not done yet");
  abort.abort();
  await refused;
  await logged;
  t.ok(simulator.device.address("root", "a"));
});

t.test("a reboot: nobody answers, then what was saved is there", async (t) => {
  const simulator = await started(t, { plain: true });
  simulator.edit({
    method: "POST",
    path: "firewall/address",
    body: { name: "saved", subnet: "10.0.0.1/32" },
  });
  simulator.save();
  simulator.edit({ method: "POST", path: "firewall/address", body: { name: "lost", subnet: "10.0.0.2/32" } });
  simulator.reboot(200);
  await t.rejects(send(simulator, "GET", "cmdb/firewall/address"), { code: "ECONNRESET" });
  let status = 0;
  for (const end = Date.now() + 5000; status !== 200 && Date.now() < end;) {
    status = await send(simulator, "GET", "cmdb/firewall/address/saved").then(
      (reply) => reply.status,
      () => 0,
    );
  }
  t.equal(status, 200);
  t.equal((await send(simulator, "GET", "cmdb/firewall/address/lost")).status, 404);
});

t.test("the control endpoint: look", async (t) => {
  const simulator = await started(t, { plain: true, vdoms: ["root", "dmz"] });
  await send(simulator, "POST", "cmdb/firewall/address", {
    name: "a<b".replace("<", ""),
    subnet: "10.0.0.1/32",
  });
  await send(simulator, "POST", "cmdb/firewall/addrgrp", {
    name: "web",
    member: [{ name: "ab" }],
    comment: "x & <y>",
  });
  const groups = (await control(simulator, "GET", "/groups?vdom=root")) as { name: string }[];
  t.match(
    groups.find(({ name }) => name === "web"),
    { vdom: "root", members: ["ab"], addresses: ["10.0.0.1"], family: "ipv4" },
  );
  const addresses = (await control(simulator, "GET", "/addresses?vdom=root")) as { name: string }[];
  t.match(
    addresses.find(({ name }) => name === "ab"),
    { addresses: ["10.0.0.1"], used: 1 },
  );
  t.match(await control(simulator, "GET", "/log?writes=1&limit=1"), [
    { method: "POST", path: "cmdb/firewall/address", changed: true },
  ]);
  t.match(await control(simulator, "GET", "/log?offset=1"), [{ path: "cmdb/firewall/addrgrp" }]);
  t.match(await control(simulator, "GET", "/history"), [
    { kind: "address" },
    { kind: "group", added: ["ab"] },
  ]);
  t.match(await control(simulator, "GET", "/memberships?vdom=root&group=web"), [
    { members: [] },
    { members: ["10.0.0.1"] },
  ]);
  const state = (await control(simulator, "GET", "/state")) as Record<
    string,
    Record<string, { name: string }[]>
  >;
  t.ok(state["root"]?.["firewall.addrgrp"]?.some(({ name }) => name === "web"));
  t.ok(state["dmz"]?.["firewall.address6"]?.some(({ name }) => name === "none"));
  const page = await (await fetch(`${simulator.controlUrl}/`)).text();
  t.match(page, "web");
  t.match(page, "x &amp; &lt;y&gt;");
  t.match(await (await fetch(`${simulator.controlUrl}/help`)).text(), "/memberships");
  t.equal((await fetch(`${simulator.controlUrl}/nonsense`)).status, 404);
  t.strictSame(await control(simulator, "DELETE", "/log"), {});
  t.strictSame(await control(simulator, "GET", "/log"), []);
});

t.test("the control endpoint: change", async (t) => {
  const simulator = await started(t, { plain: true });
  const { device } = simulator;
  const { id } = (await control(simulator, "POST", "/faults", {
    kind: "status-before",
    status: 503,
    path: "addrgrp",
  })) as { id: number };
  t.match(await control(simulator, "GET", "/faults"), [{ id, kind: "status-before", struck: 0 }]);
  t.equal((await send(simulator, "GET", "cmdb/firewall/addrgrp")).status, 503);
  await control(simulator, "POST", "/faults", { kind: "slow", ms: 10, times: 0 });
  await control(simulator, "DELETE", "/faults");
  t.strictSame(device.faults.list(), []);
  t.match(await control(simulator, "PATCH", "/switches", { missingReference: -651 }), {
    missingReference: -651,
    childMissing: 404,
  });
  t.match(await control(simulator, "PATCH", "/switches", { missingReference: 7, nonsense: 1 }), {
    error: /missingReference.*nonsense/,
  });
  t.equal(device.switches.missingReference, -651);
  t.match(await control(simulator, "PATCH", "/latency", { write: 7 }), { write: 7, read: 0 });
  t.match(await control(simulator, "PATCH", "/latency", { write: -1 }), { error: /write/ });
  const user = {
    name: "api",
    token: "new",
    profile: { fwgrp: "custom", "fwgrp-permission": { address: "read" }, sysgrp: "none" },
    vdoms: ["root"],
  };
  await control(simulator, "POST", "/users", user);
  t.strictSame(device.users, [user]);
  t.notOk(JSON.stringify(await control(simulator, "GET", "/users")).includes("new"), "tokens are not shown");
  t.match(
    await control(simulator, "POST", "/edit", {
      method: "POST",
      path: "firewall/address",
      body: { name: "a", subnet: "10.0.0.1/32" },
    }),
    { status: 200 },
  );
  t.match(await control(simulator, "POST", "/edit", { method: "GET", path: "x" }), { error: /method/ });
  t.match(await control(simulator, "POST", "/edit", { vdom: "nowhere", method: "DELETE", path: "x" }), {
    error: /nowhere/,
  });
  await control(simulator, "POST", "/save");
  await control(simulator, "POST", "/edit", { method: "DELETE", path: "firewall/address/a" });
  await control(simulator, "POST", "/reboot", {});
  t.ok(device.address("root", "a"));
  t.match(await control(simulator, "POST", "/failover", { serial: "FGVM010000000007" }), {
    serial: "FGVM010000000007",
  });
  t.strictSame(await control(simulator, "GET", "/lockout"), {});
  await control(simulator, "DELETE", "/lockout");
  await control(simulator, "DELETE", "/users?name=api");
  t.equal((await send(simulator, "GET", "monitor/system/status")).status, 401);
});
