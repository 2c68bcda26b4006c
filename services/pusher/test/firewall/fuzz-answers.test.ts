import fc from "fast-check";
import t from "tap";
import { deepJson, junk, spoiled } from "../../../../shared/test/junk.ts";
import { FirewallError } from "../../src/firewall/firewall.ts";
import type { TransportResponse } from "../../src/firewall/fortigate/transport.ts";
import { parseReply } from "../../src/firewall/fortigate/wire/envelope.ts";
import { classify, explain } from "../../src/firewall/fortigate/wire/refusal.ts";
import { Stage } from "../stage.ts";
import {
  attachChild,
  createAddress,
  createChild,
  createParent,
  deleteAddress,
  deleteChild,
  deleteParent,
  detachChild,
  never,
  putChild,
  repairAddress,
  Rig,
  short,
  WEB,
  PARENT,
  type StepWithoutReason,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

const status = fc.oneof(
  { arbitrary: fc.constant(200), weight: 4 },
  { arbitrary: fc.constantFrom(204, 302, 400, 401, 403, 404, 405, 413, 424, 429, 500, 502, 503), weight: 2 },
  { arbitrary: fc.integer({ min: 100, max: 599 }), weight: 1 },
);
const page = "<!DOCTYPE html><html><head><title>503</title></head></html>";
/** No answer of the REST API at all. */
const body = fc.oneof(
  junk.map((value) => JSON.stringify(value) ?? ""),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.constantFrom(page, "", '{"results":[{"name":"pg.', deepJson()),
);

/** A device with two addresses, a child and a parent. */
async function rig(): Promise<Rig> {
  const made = new Rig({ profile: "7.4" });
  await made.all(createAddress(A), createAddress(B), createChild([A, B]), createParent());
  return made;
}

const STEPS: readonly StepWithoutReason[] = [
  createAddress(A),
  repairAddress(A),
  deleteAddress(A),
  createChild([A]),
  putChild([A]),
  deleteChild(),
  createParent(),
  attachChild(),
  detachChild(),
  deleteParent(),
];

/** More calls than any step or read takes: whoever makes them goes round in circles. */
const MOST_CALLS = 60;

/** What is said of it is one line for people. */
function requireLine(message: string): void {
  if (message === "" || /\n|\s+at .*:\d+:\d+/.test(message) || message.length > 2000)
    throw new Error(`no line for people: ${message.slice(0, 300)}`);
}

t.test("an answer of any kind is classified and explained in one line", (t) => {
  fc.assert(
    fc.property(status, body, (code, text) => {
      const reply = parseReply(code, text, "root");
      classify(reply);
      requireLine(explain(reply));
    }),
    { numRuns: 1000 },
  );
  t.end();
});

t.test(
  "a read that is answered with junk, or with a right answer that was spoiled, throws what it is or is whole",
  async () => {
    const seeds = fc.integer();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.record({ code: status, text: body }), seeds),
        fc.nat({ max: 8 }),
        async (wrong, at) => {
          const one = await rig();
          const before = one.calls().length;
          let call = 0;
          one.tamper = (_, response): TransportResponse => {
            call += 1;
            if (call > MOST_CALLS) throw new Error("it goes round in circles");
            if (call < at) return response;
            if (typeof wrong !== "number") return { ...response, status: wrong.code, body: wrong.text };
            const [other] = fc.sample(spoiled(JSON.parse(response.body)), { seed: wrong + call, numRuns: 1 });
            return { ...response, body: JSON.stringify(other) ?? "" };
          };
          for (const read of [
            () => one.read(PARENT),
            () => one.firewall.identity(never),
            () => one.firewall.limits(never),
          ]) {
            call = 0;
            try {
              await read();
            } catch (error) {
              if (!(error instanceof FirewallError)) throw error;
              requireLine(error.message);
            }
          }
          if (
            one
              .calls()
              .slice(before)
              .some((each) => !each.startsWith("GET"))
          )
            throw new Error("a read wrote");
        },
      ),
      { numRuns: 300 },
    );
  },
);

t.test("a list with one row or member that cannot be read is not taken for one without it", async (t) => {
  const spoil: readonly [string, (row: Record<string, unknown>) => unknown][] = [
    ["no row", () => null],
    ["a row without a name", (row) => ({ ...row, name: undefined })],
    ["a name that is no text", (row) => ({ ...row, name: 7 })],
    ["members that are no list", (row) => ({ ...row, member: "all" })],
    ["a member without a name", (row) => ({ ...row, member: [{}] })],
    ["a member that is no row", (row) => ({ ...row, member: ["all"] })],
    ["a mask that is no text", (row) => ({ ...row, subnet: { ip: "10.0.0.1" } })],
  ];
  for (const [what, change] of spoil) {
    const one = await rig();
    one.tamper = (_, response) => {
      const envelope = JSON.parse(response.body) as { results: Record<string, unknown>[] };
      const results = envelope.results.map((row) =>
        [WEB, "pg.lab1.10.0.0.1"].includes(String(row["name"])) ? change(row) : row,
      );
      return { ...response, body: JSON.stringify({ ...envelope, results }) };
    };
    await t.rejects(one.read(PARENT), { reason: "busy", message: /can't be read/ }, what);
  }
});

t.test("a device that gives the same page again and again is not asked for ever", async (t) => {
  const one = await rig();
  let calls = 0;
  let first: string | undefined;
  one.tamper = (_, response) => {
    calls += 1;
    if (calls > MOST_CALLS) throw new Error("it goes round in circles");
    first ??= JSON.stringify({ ...(JSON.parse(response.body) as object), matched_count: 1_000_000 });
    return { ...response, status: 200, body: first };
  };
  await t.rejects(one.read(PARENT), { reason: "busy", message: /rows came/ });
});

t.test("a step that is answered with junk has an outcome, and sends nothing but what it is for", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...STEPS),
      fc.array(fc.record({ code: status, text: body }), { minLength: 1, maxLength: 4 }),
      async (step, answers) => {
        const one = await rig();
        const before = one.writes().length;
        let call = 0;
        one.tamper = (_, response) => {
          call += 1;
          if (call > MOST_CALLS) throw new Error("it goes round in circles");
          const { code, text } = answers[call % answers.length] ?? { code: 200, text: "" };
          return { ...response, status: code, body: text };
        };
        const outcome = await one.apply(step);
        if (outcome.result !== "done") requireLine(outcome.message);
        const writes = one.writes().slice(before);
        if (writes.length > 2) throw new Error(`${short(outcome)} after ${writes.join(", ")}`);
        const foreign = writes.filter((write) => !write.includes("pg.lab1.") && !write.includes("addrgrp"));
        if (foreign.length > 0 && !step.kind.startsWith("create")) throw new Error(foreign.join(", "));
      },
    ),
    { numRuns: 300 },
  );
});

t.test(
  "a device that talks junk is left as it is, told in its status, and used again once it talks sense",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    stage.start();
    for (const address of [A, B]) await stage.during(watcher.add("web", address));
    t.ok(await stage.until(() => stage.holds("web", A, B)));
    await stage.clock.run(10_000);
    const before = stage.writes().length;
    const { device } = stage;
    const handle = device.handle.bind(device);
    const answers = fc.sample(fc.record({ code: status.filter((code) => code !== 401), text: body }), 200);
    let at = 0;
    device.handle = (request, now, admission) => {
      const answer = handle(request, now, admission);
      at += 1;
      const { code, text } = answers[at % answers.length] ?? { code: 200, text: "" };
      return answer.kind === "reply" ? { ...answer, status: code, body: text } : answer;
    };
    await stage.clock.run(20 * 60_000);
    t.strictSame(stage.writes().slice(before), []);
    t.match(await stage.during(stage.targetStatus("east", "fw1")), { error: /./ });
    t.notOk(
      stage.raw.some((line) => /\\n\s+at /.test(line)),
      "no stack in the log",
    );
    device.handle = handle;
    await stage.during(watcher.remove("web", B));
    t.ok(await stage.until(() => stage.holds("web", A), 10 * 60_000));
    await stage.stop();
  },
);
