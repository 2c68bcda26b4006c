import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GenericContainer, getContainerRuntimeClient } from "testcontainers";
import { temporaryDirectory } from "./leftovers.ts";

// Its helper container would have to be pulled; what is started here is removed by those who start it.
process.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";

/** For `skip`: why there is no Docker engine here, or false. */
export async function skipWithoutDocker(): Promise<string | false> {
  try {
    await getContainerRuntimeClient();
    return false;
  } catch {
    return "needs a Docker engine that runs and may be used (`docker info`)";
  }
}

/** An image of one static program and nothing else; no registry is asked. @returns its name */
export async function buildImage(name: string, program: string): Promise<string> {
  const [context, remove] = temporaryDirectory("image");
  try {
    copyFileSync(program, join(context, "program"));
    writeFileSync(
      join(context, "Dockerfile"),
      'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\n',
    );
    await GenericContainer.fromDockerfile(context).build(name, { deleteOnExit: false });
    return name;
  } finally {
    remove();
  }
}
