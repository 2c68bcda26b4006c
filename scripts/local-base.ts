// An image like the distroless base of the Dockerfiles, made of the Node of the lockfile and of this machine's own
// C library: for where no registry can be reached.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const USER = 65_532;
/** Of the image, beside its files. */
export const BASE_SETTINGS = { PATH: "/nodejs/bin", HOME: "/home/nonroot" };

export interface LocalBase {
  readonly name: string;
  /** It was there already. */
  readonly cached: boolean;
}

/** @throws Error this is no Linux with glibc, or the engine refuses the image: what it said */
export async function localBase(node: string = process.execPath): Promise<LocalBase> {
  const name = `podgate-base/node:${process.versions.node}`;
  const image = spawnSync("docker", ["image", "inspect", name], { stdio: "ignore" });
  if (image.status === 0) return { name, cached: true };
  const root = mkdtempSync(join(tmpdir(), "podgate-base-"));
  try {
    fillBase(root, realpathSync(node));
    await importImage(root, name);
  } finally {
    rmSync(root, { recursive: true });
  }
  return { name, cached: false };
}

/** Where the distroless image has them: Node, the libraries it is linked with, a user, and the authorities to trust. */
export function fillBase(root: string, node: string): void {
  const put = (file: string, at: string): void => {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    copyFileSync(file, join(root, at));
  };
  put(node, "nodejs/bin/node");
  for (const library of librariesOf(node)) put(realpathSync(library), library);
  const authorities = "etc/ssl/certs/ca-certificates.crt";
  if (existsSync(`/${authorities}`)) put(`/${authorities}`, authorities);
  for (const folder of ["etc", "tmp", "home/nonroot"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(
    join(root, "etc/passwd"),
    `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${USER}:${USER}:nonroot:/home/nonroot:/sbin/nologin\n`,
  );
  writeFileSync(join(root, "etc/group"), `root:x:0:\nnonroot:x:${USER}:\n`);
  writeFileSync(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
}

function librariesOf(program: string): string[] {
  const { stdout, status } = spawnSync("ldd", [program], { encoding: "utf8" });
  if (status !== 0) throw new Error("a local base can be made on Linux with glibc only (ldd)");
  const linked = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file = ""]) => file);
  // glibc opens these by itself when a name is looked up.
  const folder = dirname(linked.find((file) => file.includes("/libc.so")) ?? "/lib/libc.so.6");
  const lookup = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"].map((file) => join(folder, file));
  return [...new Set([...linked, ...lookup.filter((file) => existsSync(file))])];
}

/** One layer, with fixed times and owners. */
async function importImage(root: string, name: string): Promise<void> {
  const tar = spawn(
    "tar",
    [
      "--sort=name",
      "--mtime=@0",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mode=go+rX",
      "-cf",
      "-",
      ".",
    ],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  const { PATH, HOME } = BASE_SETTINGS;
  const changes = [`USER ${USER}:${USER}`, `WORKDIR ${HOME}`, `ENV PATH=${PATH}`];
  const load = spawn("docker", ["import", ...changes.flatMap((each) => ["--change", each]), "-", name], {
    stdio: [tar.stdout, "ignore", "pipe"],
  });
  let said = "";
  load.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const [packed, loaded] = await Promise.all([exitOf(tar), exitOf(load)]);
  if (packed !== 0 || loaded !== 0) throw new Error(`no base image could be made: ${said.trim()}`);
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}
