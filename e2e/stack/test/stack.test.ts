import { existsSync } from "node:fs";
import t from "tap";
import { skipWithout } from "../../tools/tool.ts";
import { startStack } from "../stack.ts";

const skip = skipWithout(
  "nats-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
);

t.setTimeout(180_000);

t.test(
  "the stack starts whole with the built services, and close leaves nothing behind",
  { skip },
  async (t) => {
    const said: string[] = [];
    const stack = await startStack({ clusters: { a: {}, b: {} }, say: (line) => said.push(line) });
    const services = [stack.pusher, stack.cluster("a").watcher, stack.cluster("b").watcher];
    const directories = [
      stack.nats.directory,
      ...[...stack.clusters.values()].map(({ plane }) => plane.directory),
      ...services.map(({ directory }) => directory),
    ];
    try {
      t.equal(said.length, 5, "one line for each part");
      for (const { opsUrl, name } of services)
        t.equal((await fetch(`${opsUrl}/livez`)).status, 200, `${name} is alive`);
      const synced = 'podgate_watcher_phase{phase="synced"}';
      for (const { watcher } of stack.clusters.values())
        await watcher.until("synced", async () => (await watcher.metrics()).get(synced) || undefined);
      const { watcher } = stack.cluster("b");
      const before = watcher.pid;
      t.equal(await watcher.stop(), 0, "SIGTERM is an orderly end");
      await watcher.start();
      t.not(watcher.pid, before);
      t.ok((await watcher.metrics()).size > 0, "its metrics can be read");
    } finally {
      await stack.close();
    }
    for (const { name, running } of services) t.notOk(running, `${name} is gone`);
    for (const directory of directories) t.notOk(existsSync(directory), `${directory} is gone`);
  },
);
