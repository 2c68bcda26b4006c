import t from "tap";
import { exitCode, failed, ok, rowsAsData, rowsAsText, skipped } from "../../src/runtime/check-row.ts";

t.test("the table shows each fix below its row, and a count", async (t) => {
  const rows = [ok("NATS", "connected"), failed("stream", "differs:\nreplicas", "create it")];
  t.equal(
    rowsAsText(rows),
    [
      "ok       NATS    connected",
      "failed   stream  differs:",
      "                 replicas",
      "         fix: create it",
      "",
      "2 checks, 1 failed",
    ].join("\n"),
  );
  t.strictSame(rowsAsData(rows), { ok: false, checks: rows });
  t.equal(exitCode(rows), 1);
});

t.test("subjects have a column where there are any", async (t) => {
  const rows = [ok("NATS", "connected"), { ...ok("reachable", "FortiOS 7.4"), subject: "fw1" }];
  t.equal(
    rowsAsText(rows),
    [
      "ok       NATS            connected",
      "ok       reachable  fw1  FortiOS 7.4",
      "",
      "2 checks, none failed",
    ].join("\n"),
  );
});

t.test("what is skipped or only warned of fails nothing", async (t) => {
  const rows = [
    skipped("NATS", "no configuration"),
    { check: "clock", result: "warn", found: "late" } as const,
  ];
  t.equal(exitCode(rows), 0);
  t.equal(rowsAsData(rows).ok, true);
});
