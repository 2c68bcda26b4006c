import t from "tap";
import { busContract } from "./contract.ts";
import { memoryEnvironment } from "./memory-environment.ts";

t.test("the contract of the bus, in memory", async (t) => busContract(t, 1, memoryEnvironment));
