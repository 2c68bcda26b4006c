import t from "tap";
import { busContract } from "./contract.ts";
import { natsEnvironment } from "./nats-environment.ts";
import { natsServerPath, NO_SERVER } from "./nats-server.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;

t.setTimeout(60_000);
t.test("the contract of the bus, on a real server", { skip, timeout: 60_000 }, async (t) => {
  busContract(t, 1, () => natsEnvironment(path ?? "", 1));
});
