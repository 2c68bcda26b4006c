import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import t, { type Test } from "tap";
import { startSimulator, type Simulator } from "../src/simulator.ts";

async function flashIn(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fortios-flash-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, "flash.json");
}

async function ask(simulator: Simulator, method: string, path: string, body?: object): Promise<number> {
  const response = await fetch(`${simulator.url}/api/v2/cmdb/firewall/${path}`, {
    method,
    headers: { authorization: `Bearer ${simulator.token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return response.status;
}

t.test("a device with a flash file is after a restart what it was", async (t) => {
  const flash = await flashIn(t);
  const options = { plain: true, flash, vdoms: ["root", "dmz"] };
  const first = await startSimulator(options);
  // The inner group is made first, then the outer one, then the inner one again, behind it.
  for (const [path, body] of [
    ["address", { name: "a", subnet: "10.0.0.1/32" }],
    ["addrgrp", { name: "inner", member: [{ name: "a" }] }],
    ["addrgrp", { name: "outer", member: [{ name: "inner" }] }],
    ["address?vdom=dmz", { name: "b", subnet: "10.0.0.2/32" }],
  ] as const)
    t.equal(await ask(first, "POST", path, body), 200);
  first.edit({ method: "POST", path: "firewall/address", body: { name: "by-hand", subnet: "10.0.0.3/32" } });
  const before = first.device.dump();
  await first.close();

  const second = await startSimulator(options);
  t.teardown(() => second.close());
  t.strictSame(second.device.dump(), before);
  t.strictSame(second.device.resolve("root", "outer"), ["10.0.0.1"]);
  t.equal(await ask(second, "DELETE", "address/a"), 500, "it is still in use");
  t.strictSame(second.log({ writes: true }).length, 1, "the log begins anew");
  t.equal(await ask(second, "POST", "address", { name: "c", subnet: "10.0.0.4/32" }), 200);
  const uuids = second.device.addresses("root").map(({ row }) => row["uuid"]);
  t.equal(new Set(uuids).size, uuids.length, "no UUID is given out twice");
});

t.test("a flash file of something else is refused by name", async (t) => {
  const flash = await flashIn(t);
  await writeFile(flash, '{"some": "thing else"}');
  await t.rejects(startSimulator({ plain: true, flash }), new RegExp(`${flash} is no configuration`));
});

t.test("the certificate is good for the names that were asked for", async (t) => {
  const simulator = await startSimulator({ certificateHosts: ["firewall"] });
  t.teardown(() => simulator.close());
  const socket = connect({
    port: simulator.port,
    host: "127.0.0.1",
    servername: "firewall",
    ca: simulator.ca,
  });
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve(undefined));
    socket.once("error", reject);
  });
  const raw = socket.getPeerX509Certificate()?.raw;
  socket.destroy();
  t.equal(raw && new X509Certificate(raw).checkHost("firewall"), "firewall");
});
