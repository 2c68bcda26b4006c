import t from "tap";
import { busContract } from "../../../shared/test/bus/contract.ts";
import { natsEnvironment } from "../../../shared/test/bus/nats-environment.ts";
import { skipWithout, toolIfAtHand } from "../../tools/tool.ts";
import { buildImage, skipWithoutDocker } from "../docker.ts";
import { NatsContainer } from "../nats-container.ts";

const server = toolIfAtHand("nats-server");
const skip = skipWithout("nats-server") || (await skipWithoutDocker());

t.setTimeout(300_000);

t.test("the contract of the bus, on a server in a container", { skip, timeout: 300_000 }, async (t) => {
  const image = await buildImage("podgate-e2e/nats-server:2.15.2", server ?? "");
  busContract(t, 1, () => natsEnvironment((options) => new NatsContainer(image, options), 1));
});
