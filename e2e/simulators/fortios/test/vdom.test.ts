import t from "tap";
import { DEFAULT_TOKEN } from "../src/state.ts";
import { FULL_ACCESS } from "../src/access.ts";
import { addVdom, checkpoint, removeVdom, restoreVdom } from "../src/console.ts";
import { ADDRESS, Client, GROUP, type Envelope } from "./client.ts";

const client = (): Client => new Client({ vdoms: ["root", "dmz", "lab"] });

t.test("without a VDOM it is the management VDOM; VDOMs do not see each other", async (t) => {
  const box = client();
  box.done("POST", `${ADDRESS}?vdom=dmz`, { name: "a", subnet: "10.0.0.1/32" });
  t.equal(box.verdict("GET", `${ADDRESS}/a`), "404");
  t.equal(box.verdict("GET", `${ADDRESS}/a?vdom=root`), "404");
  t.match(box.ask("GET", `${ADDRESS}/a?vdom=dmz`).body, { vdom: "dmz", status: "success" });
  t.equal(new Client({ vdoms: ["lab", "root"] }).ask("GET", ADDRESS).body["vdom"], "lab");
});

t.test("several VDOMs are answered with an array of envelopes", async (t) => {
  const box = client();
  for (const [query, expected] of [
    ["vdom=*", ["root", "dmz", "lab"]],
    ["vdom=dmz,root", ["dmz", "root"]],
    ["vdom=dmz&vdom=lab", ["dmz", "lab"]],
  ] as const) {
    const list = JSON.parse(box.ask("GET", `${ADDRESS}?${query}`).text) as Envelope[];
    t.strictSame(
      list.map((envelope) => envelope["vdom"]),
      expected,
      query,
    );
  }
});

t.test("a write to several VDOMs is done in each", async (t) => {
  const box = client();
  box.ask("POST", `${ADDRESS}?vdom=dmz,lab`, { name: "a", subnet: "10.0.0.1/32" });
  t.ok(box.device.address("dmz", "a"));
  t.ok(box.device.address("lab", "a"));
  t.equal(box.device.address("root", "a"), undefined);
});

t.test("out of scope, or not there at all: 403", async (t) => {
  const box = client();
  box.device.setUser({ name: "api", token: DEFAULT_TOKEN, profile: FULL_ACCESS, vdoms: ["dmz"] });
  t.equal(box.verdict("GET", `${ADDRESS}?vdom=dmz`), "200");
  t.equal(box.verdict("GET", `${ADDRESS}?vdom=root`), "403");
  t.equal(box.verdict("GET", ADDRESS), "403", "the management VDOM is out of scope, too");
  t.equal(box.verdict("POST", `${ADDRESS}?vdom=root`, { name: "a" }), "403");
  t.equal(box.verdict("GET", `${ADDRESS}?vdom=nowhere`), "403");
  t.equal(box.ask("GET", `${ADDRESS}?vdom=*`).status, 403);
});

t.test("limits count per VDOM", async (t) => {
  const box = new Client({ vdoms: ["root", "dmz"], limits: { address: 1 } });
  box.address("a");
  t.equal(box.verdict("POST", ADDRESS, { name: "b" }), "500/-4");
  t.equal(box.verdict("POST", `${ADDRESS}?vdom=dmz`, { name: "b" }), "200");
});

t.test("a VDOM can be removed with all it holds, and comes back empty; the history tells", async (t) => {
  const box = client();
  box.done("POST", `${ADDRESS}?vdom=dmz`, { name: "a", subnet: "10.0.0.1/32" });
  box.done("POST", `${GROUP}?vdom=dmz`, { name: "g", member: [{ name: "a" }] });
  box.now += 10;
  removeVdom(box.device, "dmz", box.now);
  t.strictSame(box.device.configuration.names(), ["root", "lab"]);
  t.equal(box.ask("GET", `${ADDRESS}?vdom=dmz`).status, 403, "as one that never was");
  t.throws(() => removeVdom(box.device, "dmz", box.now), /no VDOM "dmz"/);
  t.throws(() => removeVdom(box.device, "root", box.now), /management VDOM/);
  t.match(box.device.chronicle.memberships("dmz", "g", "ipv4").at(-1), {
    at: box.now,
    request: 0,
    members: [],
  });
  box.now += 10;
  addVdom(box.device, "dmz", box.now);
  addVdom(box.device, "lab", box.now);
  t.equal(box.verdict("GET", `${ADDRESS}/a?vdom=dmz`), "404");
  t.equal(box.ask("GET", `${ADDRESS}?vdom=dmz`).status, 200);
});

t.test(
  "one that was removed can be put back from a copy, with all it held then; the history tells",
  async (t) => {
    const box = client();
    box.done("POST", `${ADDRESS}?vdom=dmz`, { name: "a", subnet: "10.0.0.1/32" });
    box.done("POST", `${GROUP}?vdom=dmz`, { name: "g", member: [{ name: "a" }] });
    const saved = checkpoint(box.device);
    box.done("POST", `${GROUP}?vdom=lab`, { name: "h", member: [{ name: "all" }] });
    removeVdom(box.device, "dmz", box.now);
    box.now += 10;
    restoreVdom(box.device, saved, "dmz", box.now);
    t.strictSame(box.device.resolve("dmz", "g"), ["10.0.0.1"]);
    t.ok(box.device.group("lab", "h"), "the others stay as they are");
    t.match(box.device.chronicle.memberships("dmz", "g", "ipv4").at(-1), {
      at: box.now,
      members: ["10.0.0.1"],
    });
    box.done("DELETE", `${GROUP}/g?vdom=dmz`);
    t.throws(() => restoreVdom(box.device, saved, "nowhere", box.now), /no VDOM "nowhere"/);
  },
);
