import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mount, ServiceDefinition } from "./compose-file.ts";
import type { ImageFolder } from "./image-folder.ts";
import { system } from "./namespaces.ts";

const DEVICES = ["null", "zero", "random", "urandom"].map((name) => `/dev/${name}`);

export interface RootOptions {
  readonly definition: ServiceDefinition;
  readonly image: ImageFolder;
  /** Text of `/etc/hosts`. */
  readonly hosts: string;
  /** Where the source of a mount is. */
  readonly source: (mount: Mount) => string;
}

/** The image, and over it what the file mounts: all of it at the paths that the service sees. */
export function mountRoot(root: string, { definition, image, hosts, source }: RootOptions): void {
  const { mounts, tmpfs, rights } = definition;
  // What is covered must be there.
  for (const path of ["/proc", ...tmpfs, ...mounts.map(({ target }) => target)])
    mkdirSync(join(image.folder, path), { recursive: true });
  for (const file of ["/etc/hosts", ...DEVICES]) {
    mkdirSync(dirname(join(image.folder, file)), { recursive: true });
    writeFileSync(join(image.folder, file), "");
  }
  mkdirSync(root, { recursive: true });
  const hostsFile = `${root}.hosts`;
  writeFileSync(hostsFile, hosts);

  bind(image.folder, root, rights.readOnly);
  bind("/proc", join(root, "proc"), false);
  for (const device of DEVICES) bind(device, join(root, device), false);
  bind(hostsFile, join(root, "etc/hosts"), true);
  for (const path of tmpfs)
    system(["/usr/bin/mount", "--types", "tmpfs", "--options", "mode=1777", "tmpfs", join(root, path)]);
  for (const mount of mounts) bind(source(mount), join(root, mount.target), mount.readOnly);
}

export function unmountRoot(root: string): void {
  // Lazy: what was run beside the service may still be about to end.
  system(["/usr/bin/umount", "--recursive", "--lazy", root]);
}

function bind(from: string, to: string, isReadOnly: boolean): void {
  // Whoever is root in a user namespace only cannot take these two off a file system that has them.
  const options = isReadOnly ? "bind,ro,nosuid,nodev" : "bind";
  system(["/usr/bin/mount", "--options", options, from, to]);
}
