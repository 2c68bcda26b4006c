import t from "tap";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import type { Configuration } from "../src/configuration.ts";
import { anotherConfiguration, tellOfChange } from "../src/reload.ts";
import { configurationOf } from "./stage.ts";

/** A file that a test writes, and a pusher that waits for another configuration in it. */
function waiting(present: Configuration = configurationOf()) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const lines: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const file = { content: (): Configuration => present };
  const valid: boolean[] = [];
  let ask: (() => void) | undefined;
  let found: { configuration: Configuration | undefined } | undefined;
  const ended = anotherConfiguration(
    present,
    {
      again: () => file.content(),
      clock,
      logger,
      onAsked: (run) => {
        ask = run;
        return () => undefined;
      },
      observe: (is) => void valid.push(is),
    },
    stop.signal,
  ).then((configuration) => (found = { configuration }));
  return {
    clock,
    file,
    lines,
    logger,
    valid,
    ask: () => ask?.(),
    found: () => found,
    until: (ms: number) => clock.run(ms, () => found !== undefined),
    async stop() {
      stop.abort();
      await ended;
      return found;
    },
  };
}

const faulty = (message: string) => (): never => {
  throw new UserError(message);
};

t.test("a changed file is taken within seconds, when it has stood still for a moment", async (t) => {
  const w = waiting();
  await w.clock.run(60_000);
  t.equal(w.found(), undefined, "nothing changed");
  const next = configurationOf({ driftSeconds: 60 });
  w.file.content = () => next;
  t.ok(await w.until(6500));
  t.equal(w.found()?.configuration, next);
});

t.test("one that is still being written is not taken", async (t) => {
  const w = waiting();
  await w.clock.run(4000);
  let drift = 10;
  w.file.content = () => configurationOf({ driftSeconds: (drift += 1) });
  await w.clock.run(60_000);
  t.equal(w.found(), undefined);
  const whole = configurationOf({ driftSeconds: 5 });
  w.file.content = () => whole;
  t.ok(await w.until(2500));
  t.equal(w.found()?.configuration?.driftSeconds, 5);
});

t.test("one that was changed and changed back is not taken", async (t) => {
  const w = waiting();
  let looks = 0;
  w.file.content = () => configurationOf((looks += 1) === 1 ? { driftSeconds: 60 } : {});
  await w.clock.run(60_000);
  t.equal(w.found(), undefined);
  await w.stop();
});

t.test("when it is asked for it is looked at once, and told when it is as it was", async (t) => {
  const w = waiting();
  await w.clock.run(100);
  w.ask();
  await w.clock.run(1);
  t.match(w.lines, [{ level: "info", message: /as it was/ }]);
  const next = configurationOf({ driftSeconds: 60 });
  w.file.content = () => next;
  w.ask();
  t.ok(await w.until(1500));
});

t.test("a faulty one is refused with all faults, once, and the one in force stays", async (t) => {
  const w = waiting();
  w.file.content = faulty("the configuration x.yaml has 2 faults:\n  routes: missing\n  install: empty");
  await w.clock.run(60_000);
  t.equal(w.found(), undefined);
  const told = w.lines.filter(({ level }) => level === "error");
  t.equal(told.length, 1);
  t.match(told[0], {
    message: /refused/,
    fields: { faults: [/2 faults/, "routes: missing", "install: empty"] },
  });
  t.equal(w.valid.at(-1), false);
  w.ask();
  await w.clock.run(1);
  t.equal(w.lines.filter(({ level }) => level === "error").length, 2, "who asks is answered");
  w.file.content = () => configurationOf();
  await w.clock.run(10_000);
  t.equal(w.valid.at(-1), true);
  t.match(w.lines.at(-1), { message: /without faults again/ });
  t.equal((await w.stop())?.configuration, undefined);
});

t.test("another install id is refused: nobody would take away what the old one made", async (t) => {
  const w = waiting();
  w.file.content = () => configurationOf({ install: "b2" });
  await w.clock.run(60_000);
  t.equal(w.found(), undefined);
  t.match(w.lines, [{ level: "error", fields: { faults: [/^install: "b2".*"a1" in force/] } }]);
  await w.stop();
});

t.test("what leaves the configuration is told, and for a target what to do", async (t) => {
  const before = configurationOf({ targets: [{ name: "fw1" }, { name: "dmz", vdom: "dmz" }] });
  const clusters = [{ name: "east" }];
  const routes = [{ targets: ["fw1"], clusters: ["east"], groups: ["*"] }];
  const w = waiting();
  tellOfChange(before, configurationOf({ clusters, routes, ops: { port: 9999 } }), w.logger);
  t.match(w.lines, [
    { level: "warn", fields: { target: "dmz", vdom: "dmz" }, message: /podgate-pusher clean/ },
    { level: "warn", fields: { cluster: "west" }, message: /guards/ },
    { level: "warn", message: /restart for them/ },
  ]);
  await w.stop();
});
