import t from "tap";
import { busContract } from "./contract.ts";
import { publisherCases } from "./contract-publisher.ts";
import { natsEnvironment } from "./nats-environment.ts";
import { natsServerPath, NO_SERVER } from "./nats-server.ts";

const path = natsServerPath();
const skip = path === undefined ? NO_SERVER : false;

t.setTimeout(120_000);
t.test("the contract of the bus, on three real servers: publisher", { skip, timeout: 120_000 }, async (t) => {
  busContract(t, 3, () => natsEnvironment(path ?? "", 3), [publisherCases]);
});
