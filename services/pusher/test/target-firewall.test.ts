import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "@podgate/fortios-simulator/simulator";
import { systemClock } from "@podgate/shared/runtime/clock";
import t from "tap";
import { namesOf, targetFirewall, targetTransport } from "../src/target-firewall.ts";
import { configurationOf } from "./stage.ts";

const { signal } = new AbortController();

t.test("token and CA are read anew for each call, and neither stands in an error", async (t) => {
  const folder = t.testdir();
  const [tokenFile, caFile] = [join(folder, "token"), join(folder, "ca.pem")];
  const simulator = await startSimulator({ token: "canary-right" });
  const other = await startSimulator();
  t.teardown(() => Promise.all([simulator.close(), other.close()]));
  const [target] = configurationOf({
    targets: [{ name: "fw1", url: simulator.url, tokenFile, caFile }],
  }).targets;
  if (target === undefined) throw new Error("no target");
  const transport = targetTransport(target);
  t.teardown(() => transport.close());
  const { firewall } = targetFirewall(target, transport, namesOf("a1"), systemClock);
  const ready = (): void => transport.ready();
  const failure = async (): Promise<string> => {
    try {
      await firewall.identity(signal);
      return "";
    } catch (error) {
      return String(error);
    }
  };

  t.throws(ready, /token file .*token cannot be read \(ENOENT\)/);
  writeFileSync(tokenFile, "canary-wrong\n");
  t.throws(ready, /CA file .*ca.pem cannot be read/);
  writeFileSync(caFile, other.ca ?? "");
  t.doesNotThrow(ready);
  const untrusted = await failure();
  t.match(untrusted, /TLS failed/);
  writeFileSync(caFile, simulator.ca ?? "");
  t.notOk(transport.hasNewToken(), "nothing was sent yet");
  const refused = await failure();
  t.notOk(transport.hasNewToken());
  t.match(refused, /token is not accepted/);
  t.notMatch(untrusted + refused, /canary/);
  writeFileSync(tokenFile, "canary-right\n");
  t.ok(transport.hasNewToken());
  t.equal(await failure(), "");
  t.notOk(transport.hasNewToken(), "it is the one that was sent last");
  rmSync(tokenFile);
  t.notOk(transport.hasNewToken(), "no file is no other token");
});
