import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { clusterInbox, PUSHER_INBOX } from "@podgate/shared/bus/permissions";
import t from "tap";
import { skipWithout } from "../../tools/tool.ts";
import { startNats } from "../nats.ts";

const skip = skipWithout("nats-server");

t.test(
  "each user connects with its password, and a cluster's may not touch another's stream",
  { skip },
  async (t) => {
    const nats = await startNats({ clusters: ["a", "b"] });
    t.teardown(() => nats.close());
    const admin = await nats.admin();
    const manager = await jetstreamManager(admin);
    for (const name of ["PODGATE_a", "PODGATE_b"])
      await manager.streams.add({ name, subjects: [`${name}.>`] });
    await admin.close();
    for (const [name, inboxPrefix] of [
      ["a", clusterInbox("a")],
      ["pusher", PUSHER_INBOX],
    ] as const) {
      const { user, password: pass } = nats.user(name);
      const connection = await connect({ servers: nats.url, user, pass, inboxPrefix, reconnect: false });
      const reply = await connection.request("$JS.API.STREAM.INFO.PODGATE_a", "");
      t.match(reply.json(), { config: { name: "PODGATE_a" } }, `${name} reads the stream of a`);
      if (name === "a")
        await t.rejects(connection.request("$JS.API.STREAM.INFO.PODGATE_b", ""), /permission|violation/i);
      await connection.close();
    }
    await t.rejects(
      connect({ servers: nats.url, user: "a", pass: "wrong", reconnect: false }),
      /authorization/i,
      "a wrong password is refused",
    );
  },
);

t.test("what was stored outlives kill -9, and a copy of the store can be put back", { skip }, async (t) => {
  const nats = await startNats({ clusters: ["a"] });
  t.teardown(() => nats.close());
  const stored = async (publish?: string): Promise<number> => {
    const connection = await nats.admin();
    try {
      const manager = await jetstreamManager(connection);
      const names = await manager.streams.names().next();
      if (names.length === 0) await manager.streams.add({ name: "S", subjects: ["s"] });
      if (publish !== undefined) await manager.jetstream().publish("s", publish);
      return (await manager.streams.info("S")).state.messages;
    } finally {
      await connection.close();
    }
  };
  const { port } = nats;
  t.equal(await stored("one"), 1);
  await nats.kill();
  t.equal(nats.running, false);
  await nats.start();
  t.equal(nats.port, port, "on the same port");
  t.equal(await stored(), 1);
  const restore = await nats.copyStore();
  t.equal(await stored("two"), 2);
  await restore();
  t.equal(await stored(), 1);
});
