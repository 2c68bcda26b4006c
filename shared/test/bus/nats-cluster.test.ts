import t from "tap";
import { busContract } from "./contract.ts";
import { natsEnvironment } from "./nats-environment.ts";
import { natsServerPath, NO_SERVER } from "./nats-server.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;

t.test("the contract of the bus, on three real servers", { skip, timeout: 180_000 }, async (t) => {
  busContract(t, 3, () => natsEnvironment(path ?? "", 3));
});
