// docker-compose.yml as it is: in containers where an engine can be had, else (or with PODGATE_COMPOSE=processes) its
// services as processes, in namespaces of their own. The statements are the same: e2e/compose/test/up-and-down.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { composeCommand } from "../compose/command.ts";
import { inNamespaces, skipWithoutNamespaces } from "../compose/namespaces.ts";
import { skipWithoutDocker } from "../stack/docker.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout } from "../tools/tool.ts";

const engineIsMissing =
  (await skipWithoutDocker()) || (composeCommand() === undefined && skipWithout("docker-compose"));
const isInContainers = engineIsMissing === false && process.env["PODGATE_COMPOSE"] !== "processes";
const skip = skipWithout(...STACK_PARTS) || (!isInContainers && skipWithoutNamespaces());

if (skip !== false) {
  const { default: t } = await import("tap");
  const reason = engineIsMissing === false ? skip : `${engineIsMissing}; without one, ${skip}`;
  t.test("docker-compose.yml", { skip: reason }, () => undefined);
} else if (isInContainers) await import("../compose/test/up-and-down.ts");
else {
  const [directory] = temporaryDirectory("compose");
  const statements = fileURLToPath(new URL("../compose/test/up-and-down.ts", import.meta.url));
  const [command, ...args] = inNamespaces(process.execPath, ...process.execArgv, statements, directory);
  // Else each listener waits for another one to do it. What was started ends with this process.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit")) as [number | null];
  process.exitCode = code ?? 1;
}
