import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { systemClock } from "@podgate/shared/runtime/clock";
import t from "tap";
import { busContract } from "./contract.ts";
import { memoryEnvironment } from "./memory-environment.ts";

t.setTimeout(60_000);
t.test("the contract of the bus, in memory", { timeout: 60_000 }, async (t) =>
  busContract(t, 1, memoryEnvironment),
);

t.test(
  "a full disk stores nothing, whatever it is; what is stored can be read, and there is room again",
  async (t) => {
    const server = new MemoryBusServer({ clock: systemClock });
    const bus = server.connect();
    await bus.createBucket({ name: "box", replicas: 1, maxBytes: 1_000_000 });
    const box = await bus.bucket({ name: "box", replicas: 1, maxBytes: 0 });
    await box.put("a", new Uint8Array([1]));
    let refused = 0;
    server.fill(() => (refused += 1));
    for (const key of ["a", "b"])
      await t.rejects(box.put(key, new Uint8Array([2])), {
        message: /insufficient storage resources available/,
      });
    t.equal(refused, 2);
    t.strictSame((await box.get("a"))?.value, new Uint8Array([1]));
    server.makeRoom();
    await box.put("b", new Uint8Array([2]));
    await bus.close();
  },
);
