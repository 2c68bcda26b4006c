import t from "tap";
import { busContract } from "./contract.ts";
import { memoryEnvironment } from "./memory-environment.ts";

t.setTimeout(60_000);
t.test("the contract of the bus, in memory", { timeout: 60_000 }, async (t) =>
  busContract(t, 1, memoryEnvironment),
);
