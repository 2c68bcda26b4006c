import t from "tap";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { Lease } from "../../src/reconcile/lease.ts";
import { LeaseBoard } from "../../src/reconcile/lease-board.ts";
import { deviceLeaseKey } from "../../src/reconcile/lease-entry.ts";

const SECONDS = 6;
const SLOW_MS = 2000;

t.test(
  "a lease runs from when it was asked for, not from the answer: others may have seen it by then",
  async (t) => {
    const clock = new VirtualClock();
    const server = new MemoryBusServer({ clock });
    const config = { name: PUSHER_BUCKET, replicas: 1, maxBytes: 1_000_000 } as const;
    await server.connect("test").bucket(config, { create: true });
    const ports = { bus: server.connect("a"), clock, logger: silentLogger };
    const board = new LeaseBoard(ports);
    const lease = new Lease(
      { key: deviceLeaseKey("fw"), identity: "a", seconds: SECONDS },
      { ...ports, board },
    );
    const seen = await lease.look();
    server.hold("a");
    const taking = lease.take(seen);
    await clock.run(SLOW_MS);
    t.equal(lease.held, false, "no answer, no lease");
    server.release("a");
    t.equal(await taking, true);
    t.equal(lease.left, SECONDS * 1000 - SLOW_MS);
  },
);

t.test(
  "a lease that this version cannot read is somebody's, for a minute and not for a moment",
  async (t) => {
    const clock = new VirtualClock();
    const server = new MemoryBusServer({ clock });
    const board = new LeaseBoard({ bus: server.connect("a"), clock, logger: silentLogger });
    for (const text of ["", "null", "not json", '{"v":2,"holder":"b","seconds":6,"clean":true}']) {
      const seen = board.saw(`lease.device.${text.length}`, {
        value: new TextEncoder().encode(text),
        revision: 7,
      });
      t.equal(board.left(seen, clock.monotonic()), 60_000, text);
    }
    t.end();
  },
);
