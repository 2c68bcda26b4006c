import t from "tap";
import { parseReply, type Reply } from "../../../src/firewall/fortigate/wire/envelope.ts";
import {
  classify,
  explain,
  mayBeDone,
  refusedValue,
  type RefusalClass,
} from "../../../src/firewall/fortigate/wire/refusal.ts";

const reply = (status: number, code?: number, cli?: string): Reply =>
  parseReply(
    status,
    JSON.stringify({
      status: "error",
      http_status: status,
      ...(code === undefined ? {} : { error: code }),
      ...(cli === undefined ? {} : { cli_error: cli }),
    }),
    "root",
  );
const page = (status: number): Reply => parseReply(status, "<html></html>", "root");

/** Statuses without a code: as JSON, and as a page. */
const STATUSES: readonly [number, RefusalClass, RefusalClass][] = [
  [200, "other", "busy"],
  [302, "other", "other"],
  [400, "invalid", "invalid"],
  [401, "unauthorized", "unauthorized"],
  [403, "forbidden", "forbidden"],
  [404, "missing", "other"],
  [405, "other", "other"],
  [413, "other", "other"],
  [424, "dependency", "dependency"],
  [429, "busy", "busy"],
  [500, "busy", "busy"],
  [502, "busy", "busy"],
  [503, "busy", "busy"],
  [504, "busy", "busy"],
];

for (const [status, asJson, asPage] of STATUSES) {
  t.test(`HTTP ${String(status)}`, async (t) => {
    t.equal(classify(reply(status)), asJson, "JSON");
    t.equal(classify(page(status)), asPage, "page");
  });
}

/** Every code that the CLI layer is known to answer with (`exceptions.py` of hfortix-core). */
const CODES: readonly [number, RefusalClass][] = [
  [-1, "invalid"],
  [-2, "invalid"],
  [-3, "reference"],
  [-4, "full"],
  [-5, "duplicate"],
  [-6, "busy"],
  [-7, "other"],
  [-8, "invalid"],
  [-9, "invalid"],
  [-14, "forbidden"],
  [-15, "duplicate"],
  [-16, "invalid"],
  [-17, "invalid"],
  [-20, "invalid"],
  [-23, "in-use"],
  [-37, "forbidden"],
  [-45, "invalid"],
  [-50, "invalid"],
  [-54, "invalid"],
  [-56, "invalid"],
  [-61, "invalid"],
  [-72, "invalid"],
  [-160, "other"],
  [-163, "clash"],
  [-164, "clash"],
  [-165, "clash"],
  [-166, "invalid"],
  [-173, "invalid"],
  [-311, "clash"],
  [-312, "clash"],
  [-360, "busy"],
  [-361, "busy"],
  [-515, "invalid"],
  [-560, "invalid"],
  [-580, "full"],
  [-650, "invalid"],
  [-651, "reference"],
  [-10_000, "invalid"],
  [-10_001, "invalid"],
  [-10_002, "invalid"],
];

for (const [code, expected] of CODES) {
  t.test(`code ${String(code)}`, async (t) => {
    for (const status of [500, 424, 400]) t.equal(classify(reply(status, code)), expected, String(status));
    const said = explain(reply(500, code));
    t.match(said, `code ${String(code)} (`);
    t.notMatch(said, "unknown code");
  });
}

t.test("the code may stand in the CLI's words only", async (t) => {
  t.equal(classify(reply(500, undefined, "duplicate\nCommand fail. Return code -5\n")), "duplicate");
});

t.test("the status decides where it is sure", async (t) => {
  t.equal(classify(reply(401, -5)), "unauthorized");
  t.equal(classify(reply(403, -5)), "forbidden");
  t.equal(classify(reply(404, -3)), "missing");
  t.equal(classify(reply(429, -5)), "busy");
});

t.test("a code nobody knows refuses, and its words are kept", async (t) => {
  const unknown = reply(500, -9999, "something new\nCommand fail. Return code -9999");
  t.equal(classify(unknown), "other");
  t.match(explain(unknown), "something new");
});

t.test("which answers leave open whether it was done", async (t) => {
  for (const open of [page(200), page(500), page(502), page(503), reply(500)]) {
    t.ok(mayBeDone(open), String(open.status));
  }
  for (const sure of [reply(500, -5), reply(400), page(400), page(401), page(404), page(429), reply(424)]) {
    t.notOk(mayBeDone(sure), String(sure.status));
  }
});

t.test("the value that was refused", async (t) => {
  const cli =
    "node_check_object fail! for name x\n\nvalue parse error before 'pg.lab1.10.0.0.1'\nCommand fail. Return code -651\n";
  t.equal(refusedValue(reply(500, -651, cli)), "pg.lab1.10.0.0.1");
  t.equal(refusedValue(reply(500, -651)), undefined);
});

t.test("a refusal is one line", async (t) => {
  for (const status of [200, 302, 400, 401, 403, 404, 405, 413, 424, 429, 500]) {
    t.notMatch(explain(reply(status)), /\n/);
  }
  const long = explain(reply(500, -651, `a\nb\n${"x".repeat(5000)}`));
  t.notMatch(long, /\n/);
  t.ok(long.length < 400);
});
