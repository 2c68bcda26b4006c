import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BASE_SETTINGS, fillBase } from "../../scripts/local-base.ts";
import { makeImageFolder, type ImageFolder } from "./image-folder.ts";
import { fillStackContext, STACK_DOCKERFILE, STACK_IMAGE } from "./stack-image.ts";

/** The images of docker-compose.yml as folders of a directory, by name. The services must have been built. */
export async function makeImageFolders(directory: string): Promise<ReadonlyMap<string, ImageFolder>> {
  const folder = (name: string): string => join(directory, `${name}.image`);
  fillBase(folder("base"), realpathSync(process.execPath));
  const base: ImageFolder = {
    folder: folder("base"),
    environment: BASE_SETTINGS,
    workingDirectory: BASE_SETTINGS.HOME,
    entrypoint: [],
    command: [],
  };
  const context = join(directory, "stack.context");
  mkdirSync(context);
  await fillStackContext(context, () => undefined);
  const stack = makeImageFolder({ base, file: STACK_DOCKERFILE, context, folder: folder("stack") });
  rmSync(context, { recursive: true });
  const services = ["watcher", "pusher"].map((name) => {
    const steps = { base, file: `services/${name}/Dockerfile`, context: ".", folder: folder(name) };
    return [`podgate/${name}`, makeImageFolder(steps)] as const;
  });
  return new Map([[STACK_IMAGE, stack], ...services]);
}
