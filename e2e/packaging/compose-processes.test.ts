// docker-compose.yml without an engine: its services as processes, in namespaces of their own, from its own definitions.
// The statements are those of compose.test.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { inNamespaces, skipWithoutNamespaces } from "../compose/namespaces.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout } from "../tools/tool.ts";

const skip = skipWithout(...STACK_PARTS) || skipWithoutNamespaces();

if (skip === false) {
  const [directory] = temporaryDirectory("compose");
  const statements = fileURLToPath(new URL("../compose/test/up-and-down.ts", import.meta.url));
  const [command, ...args] = inNamespaces(process.execPath, ...process.execArgv, statements, directory);
  // Else each listener waits for another one to do it. What was started ends with this process.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit")) as [number | null];
  process.exitCode = code ?? 1;
} else {
  const { default: t } = await import("tap");
  t.test("docker-compose.yml as processes", { skip }, () => undefined);
}
