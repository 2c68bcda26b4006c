import t from "tap";
import { ADDRESS, Client, GROUP, names } from "./client.ts";
import type { DeviceOptions } from "../src/state.ts";

class Batch {
  readonly client: Client;
  readonly id: number;

  constructor(client: Client, timeout = 60) {
    this.client = client;
    const { results } = client.done("POST", "cmdb?action=transaction-start&vdom=root", { timeout });
    this.id = (results as { "transaction-id": number })["transaction-id"];
  }

  ask(method: string, path: string, body?: unknown): ReturnType<Client["ask"]> {
    return this.client.ask(method, path, body, { "x-transaction-id": String(this.id) });
  }

  end(how: "commit" | "abort"): number {
    return this.client.ask("POST", `cmdb?action=transaction-${how}&vdom=root`, { "transaction-id": this.id })
      .status;
  }
}

const device = (options: DeviceOptions = {}): Client => new Client({ profile: "7.4", ...options });

t.test("nothing is seen until the commit, then all of it at once", async (t) => {
  const client = device();
  const batch = new Batch(client);
  const first = batch.ask("POST", ADDRESS, { name: "a", subnet: "10.0.0.1/32" });
  t.match(first.body, { status: "success", revision_changed: false });
  t.notOk("old_revision" in first.body);
  t.equal(batch.ask("POST", GROUP, { name: "g", member: names("a") }).status, 200, "it sees its own");
  t.equal(batch.ask("GET", `${GROUP}/g`).status, 200);
  t.equal(client.verdict("GET", `${GROUP}/g`), "404", "others do not");
  t.equal(client.device.chronicle.entries().length, 0);
  t.equal(client.device.log.entries({ changed: true }).length, 0);
  t.equal(batch.end("commit"), 200);
  t.strictSame(client.device.resolve("root", "g"), ["10.0.0.1"]);
  t.equal(client.device.log.entries().at(-1)?.changed, true);
  t.equal(batch.end("commit"), 404, "it is over");
});

t.test("abort, and timeout, leave nothing", async (t) => {
  const client = device();
  const aborted = new Batch(client);
  aborted.ask("POST", ADDRESS, { name: "a" });
  t.equal(aborted.end("abort"), 200);
  const late = new Batch(client, 5);
  late.ask("POST", ADDRESS, { name: "a" });
  client.now += 5000;
  t.equal(late.ask("POST", ADDRESS, { name: "b" }).status, 404);
  t.equal(late.end("commit"), 404);
  t.equal(client.device.address("root", "a"), undefined);
  t.equal(client.verdict("POST", ADDRESS, { name: "a" }), "200", "the table is free again");
});

t.test("a request that fails does not end it", async (t) => {
  const client = device();
  const batch = new Batch(client);
  batch.ask("POST", ADDRESS, { name: "a" });
  t.match(batch.ask("POST", ADDRESS, { name: "a" }), { status: 500, body: { error: -5 } });
  t.equal(batch.end("commit"), 200);
  t.ok(client.device.address("root", "a"));
});

t.test("a table that it touched is closed to others", async (t) => {
  const client = device();
  const [one, two] = [new Batch(client), new Batch(client)];
  one.ask("POST", ADDRESS, { name: "a" });
  t.equal(two.ask("POST", ADDRESS, { name: "b" }).body.error, -160);
  t.equal(two.ask("POST", GROUP, { name: "g" }).status, 200, "another table is not");
  t.equal(client.verdict("POST", ADDRESS, { name: "c" }), "500/-160");
  t.equal(client.verdict("GET", ADDRESS), "200");
  one.end("abort");
  t.equal(two.ask("POST", ADDRESS, { name: "b" }).status, 200);
});

t.test("a commit that cannot be done any more does nothing", async (t) => {
  const client = device();
  client.address("a");
  const batch = new Batch(client);
  batch.ask("POST", GROUP, { name: "g", member: names("none") });
  batch.ask("POST", GROUP, { name: "h", member: names("a") });
  client.done("DELETE", `${ADDRESS}/a`);
  t.equal(batch.end("commit"), 500);
  t.equal(client.device.group("root", "g"), undefined);
  t.equal(batch.end("abort"), 200, "it is still open");
});

t.test("show and list from 7.4.1; none at all on 6.2", async (t) => {
  const client = device();
  const batch = new Batch(client);
  batch.ask("POST", ADDRESS, { name: "a" });
  const shown = client.ask("GET", `cmdb?action=transaction-show&transaction-id=${String(batch.id)}`).body
    .results;
  t.strictSame(shown, ["config firewall address", 'edit "a"', 'set name "a"', "next", "end"]);
  t.match(client.ask("GET", "cmdb?action=transaction-list").body.results, [{ "transaction-id": batch.id }]);
  t.equal(device({ profile: "7.2" }).ask("GET", "cmdb?action=transaction-list").status, 400);
  t.equal(device({ profile: "6.2" }).ask("POST", "cmdb?action=transaction-start", {}).status, 404);
  t.equal(client.ask("POST", "cmdb?action=nonsense", {}).status, 400);
});
