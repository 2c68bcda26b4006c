import t from "tap";
import { parseReply } from "../../../src/firewall/fortigate/wire/envelope.ts";

const parse = (envelope: unknown, status = 200, vdom = "root") =>
  parseReply(status, JSON.stringify(envelope), vdom);

t.test("a list of 7.x and one of 6.2", async (t) => {
  const common = {
    http_method: "GET",
    results: [{ name: "a" }],
    vdom: "root",
    status: "success",
    http_status: 200,
  };
  t.match(
    parse({ ...common, matched_count: 1, size: 17, serial: "FG1", version: "v7.2.5", revision: "ab" }),
    {
      ok: true,
      matched: 1,
      serial: "FG1",
      version: "7.2.5",
      vdom: "root",
      revision: "ab",
    },
  );
  t.equal(parse(common).matched, undefined);
  t.equal(parse(common).ok, true);
});

t.test("a monitor reply without http_status", async (t) => {
  t.equal(parse({ status: "success", results: {} }).ok, true);
});

t.test("whether a write changed anything", async (t) => {
  const common = { http_method: "PUT", status: "success", http_status: 200 };
  t.equal(parse({ ...common, revision_changed: true }).changed, true);
  t.equal(parse({ ...common, revision_changed: false }).changed, false);
  t.equal(parse(common).changed, undefined);
});

t.test("a reply for several VDOMs: ours counts, with its own status", async (t) => {
  const both = [
    { vdom: "root", status: "success", http_status: 200, results: [1] },
    { vdom: "dmz", status: "error", http_status: 403 },
  ];
  t.match(parse(both, 200, "root"), { ok: true, results: [1] });
  t.match(parse(both, 200, "dmz"), { ok: false, status: 403 });
  t.match(parse(both, 200, "other"), { ok: false, isPage: true });
});

t.test("what is no JSON object is a page, and never ok", async (t) => {
  for (const body of ["", "<html>", "null", "1", '"x"', "[]", '{"status":"success","results":[{"na']) {
    t.match(parseReply(200, body, "root"), { ok: false, isPage: true }, body);
  }
});

t.test("success in the body does not make a failure of the line good, nor the other way", async (t) => {
  t.equal(parse({ status: "success", http_status: 200 }, 500).ok, false);
  t.equal(parse({ status: "error", http_status: 200 }, 200).ok, false);
  t.equal(parse({ status: "success", http_status: 500 }, 200).ok, false);
});

t.test("fields of the wrong type are as if they were not there", async (t) => {
  const reply = parse({
    status: "success",
    serial: 1,
    version: null,
    matched_count: "3",
    error: "x",
    cli_error: 4,
  });
  t.strictSame(reply, { status: 200, ok: true, isPage: false });
});
