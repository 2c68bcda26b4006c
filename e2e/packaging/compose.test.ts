// docker-compose.yml as it is, in containers; compose-processes.test.ts says the same of it without an engine.
import { composeCommand } from "../compose/command.ts";
import { skipWithoutDocker } from "../stack/docker.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout } from "../tools/tool.ts";

const skip =
  (await skipWithoutDocker()) ||
  skipWithout(...STACK_PARTS) ||
  (composeCommand() === undefined && skipWithout("docker-compose"));

if (skip === false) await import("../compose/test/up-and-down.ts");
else {
  const { default: t } = await import("tap");
  t.test("docker-compose.yml in containers", { skip }, () => undefined);
}
