import t from "tap";
import { describeError, UserError } from "../../src/runtime/errors.ts";
import { createLogger, type LoggerOptions } from "../../src/runtime/logger.ts";
import { maskText } from "../../src/runtime/secrets.ts";

const CANARY = "hunter2hunter2";

function recorder(level: LoggerOptions["level"] = "debug") {
  const lines: string[] = [];
  const logger = createLogger({
    service: "podgate-test",
    version: "1.2.3",
    level,
    write: (line) => lines.push(line),
  });
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown>;
  return { logger, lines, last };
}

t.test("a line is one JSON object with service, version, level, time, fields and sentence", async (t) => {
  const { logger, lines, last } = recorder();
  logger.warn({ cluster: "a", addresses: 3 }, "cut off");
  t.match(last(), {
    level: "warn",
    service: "podgate-test",
    version: "1.2.3",
    cluster: "a",
    addresses: 3,
    msg: "cut off",
  });
  t.match(last()["time"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  logger.info({ text: "two\nlines" }, "two\nlines");
  t.equal(lines.length, 2);
  t.equal(lines[1]?.trimEnd().includes("\n"), false);
});

t.test("what is below the level is not written", async (t) => {
  const { logger, lines } = recorder("warn");
  logger.debug({}, "a");
  logger.info({}, "b");
  logger.warn({}, "c");
  logger.error({}, "d");
  t.same(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ["c", "d"],
  );
});

t.test("no secret reaches a line, wherever it hides", async (t) => {
  const failure = Object.assign(
    new Error(`401 for https://admin:${CANARY}@fw/`, {
      cause: new Error(`sent Authorization: Bearer ${CANARY}`, {
        cause: new Error(`?access_token=${CANARY}&x=1`),
      }),
    }),
    { code: "E401", token: CANARY, request: { headers: { authorization: CANARY } } },
  );
  const hiding: Record<string, unknown> = {
    token: CANARY,
    "header of a request": { headers: { Authorization: `Bearer ${CANARY}`, cookie: CANARY } },
    nested: { a: [{ b: { password: CANARY, apiKey: CANARY, clientSecret: { value: CANARY } } }] },
    error: failure,
    errors: [failure, new AggregateError([failure], "several")],
    "in a list": ["--token", `token=${CANARY}`, { credentials: { seed: CANARY } }],
    url: new URL(`https://admin:${CANARY}@fw:8443/api`),
    map: new Map([["secret", CANARY]]),
    body: `{"access_token":"${CANARY}"}`,
    buffer: Buffer.from(CANARY),
    pem: `-----BEGIN EC PRIVATE KEY-----\n${CANARY}\n-----END EC PRIVATE KEY-----`,
    deep: { a: { a: { a: { a: { a: { a: { a: { a: { a: { a: CANARY } } } } } } } } } },
  };
  for (const [name, value] of Object.entries(hiding)) {
    const { logger, lines } = recorder();
    logger.error({ [name]: value }, `could not reach nats://pusher:${CANARY}@n:4222`);
    t.equal(lines.length, 1);
    t.notMatch(lines[0], CANARY, name);
    t.notMatch(lines[0], Buffer.from(CANARY).join(","), name);
  }
});

t.test("what is no secret stays readable", async (t) => {
  const { logger, last } = recorder();
  const fields = {
    tokenFile: "/run/secrets/token",
    key: "app.kubernetes.io/name",
    url: "https://fw.example:8443/api/v2/cmdb?vdom=root",
    servers: ["nats://n:4222"],
    at: new Date(0),
    groups: new Set(["a"]),
    bytes: Buffer.from("abc"),
    count: 12n,
    nothing: null,
  };
  logger.info(fields, "Basic authentication is off; mail to a@b.example");
  t.match(last(), {
    ...fields,
    at: "1970-01-01T00:00:00.000Z",
    groups: ["a"],
    bytes: "3 bytes",
    count: "12",
    msg: "Basic authentication is off; mail to a@b.example",
  });
});

t.test("an object that contains itself is cut, not followed", async (t) => {
  const { logger, lines } = recorder();
  const ring: Record<string, unknown> = { name: "ring" };
  ring["self"] = ring;
  logger.info({ ring }, "x");
  t.match(lines[0], "…");
});

t.test("secrets are recognized in running text", async (t) => {
  const seed = `SU${"A2B3".repeat(14)}`;
  t.equal(maskText(`seed ${seed} refused`), "seed *** refused");
  t.equal(maskText("jwt eyJhbGciOiJI.eyJzdWIiOiJ4.c2ln refused"), "jwt *** refused");
  t.equal(maskText("https://u:p@ss@host/x"), "https://***@host/x");
  t.equal(maskText("GET /a?access_token=abc&vdom=root"), "GET /a?access_token=***&vdom=root");
  t.equal(maskText("Authorization: Basic dXNlcjpwYXNz="), "Authorization: Basic ***");
});

t.test("an error is described by name, code, message and causes in one line", async (t) => {
  const inner = Object.assign(new Error("refused\nat once"), { code: "ECONNREFUSED" });
  t.equal(
    describeError(new TypeError("failed", { cause: inner })),
    "TypeError: failed: Error ECONNREFUSED: refused at once",
  );
  t.equal(describeError(new AggregateError([inner])), "AggregateError: Error ECONNREFUSED: refused at once");
  t.equal(describeError("text"), "text");
  t.equal(describeError({ token: CANARY }), "unknown failure");
  const ring = new Error("ring");
  ring.cause = ring;
  t.match(describeError(ring), /^Error: ring: .*…$/);
  t.equal(new UserError("x").name, "UserError");
});
