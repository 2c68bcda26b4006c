import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import t, { type Test } from "tap";
import type { Bus } from "../../src/bus/bus.ts";
import { natsBus } from "../../src/bus/nats.ts";
import {
  clusterInbox,
  clusterPermissions,
  PUSHER_INBOX,
  pusherPermissions,
} from "../../src/bus/permissions.ts";
import { Publisher } from "../../src/bus/publisher.ts";
import { follow, readAll } from "../../src/bus/reader.ts";
import { buckets, ensureTopology, PUSHER_BUCKET, TOPOLOGY_DEFAULTS } from "../../src/bus/topology.ts";
import { clusterStatusKey, STATUS_BUCKET, targetStatusKey } from "../../src/contract/status.ts";
import { memberSubject, pokeSubject, stateSubject, streamOf } from "../../src/contract/subjects.ts";
import { systemClock as clock } from "../../src/runtime/clock.ts";
import { stateOf, string, text, until } from "./environment.ts";
import { NatsServer, natsServerPath, NO_SERVER } from "./nats-server.ts";
import { outcome } from "./scene.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;
const CLUSTERS = ["a", "b"];
const TOPOLOGY = { ...TOPOLOGY_DEFAULTS, maxBytes: 20_000_000 };

/** A server with the users of two clusters and of the pusher, each with no right beyond what the table says. */
async function stage(t: Test) {
  const passwords = {
    a: "secret-of-a",
    b: "secret-of-b",
    pusher: "secret-of-pusher",
    admin: "secret-of-admin",
  };
  const server = new NatsServer(path ?? "", {
    users: [
      { user: "a", password: passwords.a, permissions: clusterPermissions("a") },
      { user: "b", password: passwords.b, permissions: clusterPermissions("b") },
      { user: "pusher", password: passwords.pusher, permissions: pusherPermissions(CLUSTERS) },
      { user: "admin", password: passwords.admin },
    ],
  });
  await server.start();
  const ending = new AbortController();
  const said: string[] = [];
  const open: Bus[] = [];
  const raws: NatsConnection[] = [];
  t.teardown(async () => {
    ending.abort();
    await Promise.all([...open, ...raws].map((each) => each.close()));
    await server.remove();
  });
  const bus = async (user: keyof typeof passwords, inboxPrefix: string): Promise<Bus> => {
    const passwordFile = join(server.directory, user);
    writeFileSync(passwordFile, passwords[user]);
    const made = natsBus({
      servers: [server.url],
      name: user,
      credentials: { kind: "password", user, passwordFile },
      inboxPrefix,
      clock,
      random: Math.random,
      onTrouble: (message) => said.push(message),
    });
    open.push(made);
    await until("a connection", () => made.connected);
    return made;
  };
  const raw = async (user: keyof typeof passwords, inboxPrefix: string): Promise<NatsConnection> => {
    const made = await connect({
      servers: server.url,
      user,
      pass: passwords[user],
      inboxPrefix,
      reconnect: false,
    });
    raws.push(made);
    return made;
  };
  const options = { clock, random: Math.random, signal: ending.signal };
  const pusher = await bus("pusher", PUSHER_INBOX);
  t.same(await ensureTopology(pusher, CLUSTERS, TOPOLOGY), []);
  return { server, said, options, pusher, bus, raw };
}

t.test(
  "a cluster's user can do all that its watcher needs, the pusher's all that the pusher needs",
  { skip },
  async (t) => {
    const { options, pusher, bus, said } = await stage(t);
    const watcher = await bus("a", clusterInbox("a"));
    const publisher = new Publisher({ bus: watcher, stream: streamOf("a"), ...options });
    await publisher.claim((epoch) => stateOf("a", epoch));
    await publisher.publish({ subject: memberSubject("a", "web", "10.0.0.1"), data: text("add") });
    await publisher.publish(
      { subject: memberSubject("a", "web", "10.0.0.2"), data: text("remove") },
      { ttlSeconds: 60 },
    );
    const readBy = async (reader: Bus): Promise<number> => {
      const subjects = new Set<string>();
      await readAll(
        reader,
        streamOf("a"),
        options,
        () =>
          ({ subject }) =>
            subjects.add(subject),
      );
      return subjects.size;
    };
    t.equal(await readBy(watcher), 3, "its watcher reads it back");
    t.equal(await readBy(pusher), 3, "the pusher reads it");

    let poked = 0;
    watcher.onNotify(pokeSubject("a"), () => (poked += 1));
    await until("a poke", () => {
      pusher.notify(pokeSubject("a"));
      return poked > 0;
    });

    const [statusConfig, memoryConfig] = buckets(TOPOLOGY);
    if (statusConfig === undefined || memoryConfig === undefined) throw new Error("two buckets");
    const status = await pusher.bucket(statusConfig, { create: true });
    await status.put(clusterStatusKey("a"), text("whole"));
    await status.put(targetStatusKey("a", "edge"), text("edge"));
    await status.put(targetStatusKey("b", "edge"), text("of b"));
    const seen: string[] = [];
    const own = await watcher.bucket(statusConfig);
    for (const filter of [clusterStatusKey("a"), targetStatusKey("a", "*")]) {
      void (async () => {
        for await (const { key, value } of own.watch(filter, options.signal))
          seen.push(`${key}=${string(value)}`);
      })();
    }
    await until("both statuses", () => seen.length === 2);
    t.same(seen.toSorted(), ["a.edge=edge", "a=whole"]);
    const memory = await pusher.bucket(memoryConfig, { create: true });
    const revision = await memory.create("lease.edge", text("1"));
    await memory.update("lease.edge", text("2"), revision);
    t.equal(string((await memory.get("lease.edge"))?.value), "2");
    await memory.delete("lease.edge");
    t.same(said, [], "and nobody was refused anything");
  },
);

t.test("a cluster's user is refused everything else", { skip }, async (t) => {
  const { raw, options, bus } = await stage(t);
  const victim = await bus("b", clusterInbox("b"));
  const publisher = new Publisher({ bus: victim, stream: streamOf("b"), ...options });
  await publisher.claim((epoch) => stateOf("b", epoch));
  await publisher.publish({ subject: memberSubject("b", "web", "10.0.0.1"), data: text("add") });
  const before = await victim.streamInfo(streamOf("b"));

  const thief = await raw("a", clusterInbox("a"));
  const own = { stream_name: streamOf("a"), config: { ack_policy: "none", deliver_policy: "all" } };
  const others = { stream_name: streamOf("b"), config: { ack_policy: "none", deliver_policy: "all" } };
  const tries: [string, unknown?][] = [
    [memberSubject("b", "web", "10.0.0.9"), "x"],
    [stateSubject("b"), "x"],
    [pokeSubject("b")],
    [`$KV.${STATUS_BUCKET}.a.edge`, "x"],
    [`$KV.${STATUS_BUCKET}.b.edge`, "x"],
    [`$KV.${PUSHER_BUCKET}.lease.edge`, "x"],
  ];
  for (const stream of [streamOf("a"), streamOf("b"), `KV_${STATUS_BUCKET}`, `KV_${PUSHER_BUCKET}`]) {
    for (const call of [
      "CREATE",
      "UPDATE",
      "DELETE",
      "PURGE",
      "MSG.DELETE",
      "SNAPSHOT",
      "RESTORE",
      "PEER.REMOVE",
      "LEADER.STEPDOWN",
    ]) {
      tries.push([`$JS.API.STREAM.${call}.${stream}`, { name: stream }]);
    }
    tries.push(
      [`$JS.API.DIRECT.GET.${stream}`, { last_by_subj: memberSubject("b", "web", "10.0.0.1") }],
      [`$JS.API.DIRECT.GET.${stream}.${memberSubject("a", "web", "10.0.0.1")}`],
      [`$JS.API.CONSUMER.NAMES.${stream}`],
      [`$JS.API.CONSUMER.LIST.${stream}`],
      [`$JS.API.CONSUMER.DURABLE.CREATE.${stream}.d`, own],
      [`$JS.API.CONSUMER.CREATE.${stream}`, own],
      [`$JS.API.CONSUMER.CREATE.${stream}.x`, own],
      [`$JS.API.CONSUMER.CREATE.${stream}.x.>`, own],
    );
  }
  for (const stream of [streamOf("b"), `KV_${PUSHER_BUCKET}`]) {
    tries.push(
      [`$JS.API.STREAM.INFO.${stream}`],
      [`$JS.API.STREAM.MSG.GET.${stream}`, { seq: before?.lastSequence }],
      [`$JS.API.CONSUMER.CREATE.${stream}.x.podgate.>`, others],
      [`$JS.API.CONSUMER.MSG.NEXT.${stream}.x`],
      [`$JS.API.CONSUMER.INFO.${stream}.x`],
      [`$JS.API.CONSUMER.DELETE.${stream}.x`],
    );
  }
  tries.push(
    [`$JS.API.STREAM.INFO.KV_${STATUS_BUCKET}`, { subjects_filter: ">" }],
    [`$JS.API.STREAM.MSG.GET.KV_${STATUS_BUCKET}`, { last_by_subj: `$KV.${STATUS_BUCKET}.b.edge` }],
    [`$JS.API.CONSUMER.CREATE.KV_${STATUS_BUCKET}.x.$KV.${STATUS_BUCKET}.b.*`, {}],
    [`$JS.API.CONSUMER.CREATE.KV_${STATUS_BUCKET}.x.$KV.${STATUS_BUCKET}.*`, {}],
    [`$JS.API.CONSUMER.CREATE.KV_${STATUS_BUCKET}.x.$KV.${STATUS_BUCKET}.>`, {}],
    ["$JS.API.STREAM.NAMES"],
    ["$JS.API.STREAM.LIST"],
    ["$JS.API.INFO"],
    ["$JS.API.SERVER.REMOVE"],
    ["$SYS.REQ.SERVER.PING"],
    ["somewhere.else", "x"],
  );
  const answers = await Promise.all(tries.map(([subject, body]) => refusal(thief, subject, body)));
  t.same(
    tries.map(([subject], index) => `${subject}: ${answers[index] ?? ""}`),
    tries.map(([subject]) => `${subject}: refused`),
  );

  const heard: string[] = [];
  for (const subject of [
    ">",
    "podgate.>",
    "$KV.>",
    `${clusterInbox("b")}.>`,
    "_INBOX.>",
    pokeSubject("b"),
    "$JS.>",
  ]) {
    thief.subscribe(subject, { callback: (error) => void heard.push(error === null ? "heard" : "refused") });
  }
  await until("an answer to each subscription", () => heard.length === 7);
  t.notOk(heard.includes("heard"));
  t.equal((await victim.streamInfo(streamOf("b")))?.lastSequence, before?.lastSequence, "nothing reached b");
});

t.test("a filter in a body that its subject does not say is refused", { skip }, async (t) => {
  const { raw } = await stage(t);
  const thief = await raw("a", clusterInbox("a"));
  const stream = `KV_${STATUS_BUCKET}`;
  const subject = `$JS.API.CONSUMER.CREATE.${stream}.x.$KV.${STATUS_BUCKET}.a.*`;
  for (const filter of [
    { filter_subject: `$KV.${STATUS_BUCKET}.b.*` },
    { filter_subjects: [`$KV.${STATUS_BUCKET}.>`] },
    {},
  ]) {
    const config = { name: "x", ack_policy: "none", deliver_policy: "all", ...filter };
    const reply = await thief.request(subject, JSON.stringify({ stream_name: stream, config }), {
      timeout: 2000,
    });
    t.ok(reply.json<{ error?: unknown }>().error, JSON.stringify(filter));
  }
});

t.test("rollup headers are refused on streams and buckets", { skip }, async (t) => {
  const { raw } = await stage(t);
  const { headers } = await import("@nats-io/transport-node");
  const admin = await raw("admin", "_INBOX");
  for (const subject of [memberSubject("a", "web", "10.0.0.1"), `$KV.${STATUS_BUCKET}.a.edge`]) {
    for (const rollup of ["all", "sub"]) {
      const header = headers();
      header.set("Nats-Rollup", rollup);
      const reply = await admin.request(subject, "x", { timeout: 2000, headers: header });
      t.match(reply.json<{ error?: { description: string } }>().error?.description, /rollup not permitted/);
    }
  }
});

/**
 * NATS does not check the reply subject of a request, so a cluster's user can make the server answer onto another
 * cluster's subject. Such an answer is never a message of ours, and its subject or its body says so.
 */
t.test(
  "answers steered onto another cluster's stream: passed over or unreadable, and its writer claims again",
  { skip },
  async (t) => {
    const { raw, options, bus, pusher, said } = await stage(t);
    const watcher = await bus("b", clusterInbox("b"));
    const publisher = new Publisher({ bus: watcher, stream: streamOf("b"), ...options });
    await publisher.claim((epoch) => stateOf("b", epoch));
    const items: string[] = [];
    void (async () => {
      for await (const item of follow(pusher, streamOf("b"), options)) {
        if (item.kind === "message") items.push(`${item.subject} ${string(item.data).slice(0, 30)}`);
      }
    })();

    const thief = await raw("a", clusterInbox("a"));
    const forged = text(JSON.stringify({ v: 1, op: "add" }));
    await thief.request(memberSubject("a", "web", "10.0.0.1"), forged, { timeout: 2000 });
    const config = { name: "x", ack_policy: "none", deliver_policy: "all", filter_subject: "podgate.>" };
    const create = `$JS.API.CONSUMER.CREATE.${streamOf("a")}.x.podgate.>`;
    await thief.request(create, JSON.stringify({ stream_name: streamOf("a"), config }), { timeout: 2000 });
    const aim = memberSubject("b", "web", "10.0.0.9");
    thief.publish(`$JS.API.CONSUMER.MSG.NEXT.${streamOf("a")}.x`, "", { reply: aim });
    await until("the foreign message", () => said.some((line) => line.includes("ignored")));
    thief.publish(`$JS.API.STREAM.INFO.${streamOf("a")}`, "", { reply: aim });
    await until("the answer", () => items.some((item) => item.startsWith(aim)));
    t.notOk(
      items.some((item) => item.includes('"op":"add"')),
      "no body of the thief's choice arrives as a member",
    );

    t.equal(await outcome(publisher.publish({ subject: aim, data: text("x") })), "Fenced replaced");
    const again = new Publisher({ bus: watcher, stream: streamOf("b"), ...options });
    await again.claim((epoch) => stateOf("b", epoch));
    t.equal(await outcome(again.publish({ subject: aim, data: text("x") })), "done", "and heals the row");
  },
);

async function refusal(nats: NatsConnection, subject: string, body: unknown): Promise<string> {
  try {
    const data = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    return `answered: ${(await nats.request(subject, data, { timeout: 3000 })).string()}`;
  } catch (error) {
    const said = error instanceof Error ? `${error.message} ${String(error.cause)}` : "";
    return /permissions violation/i.test(said) ? "refused" : said;
  }
}
