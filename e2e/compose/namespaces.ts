import { spawnSync } from "node:child_process";
import { isExecutable } from "../tools/go.ts";

const UTIL_LINUX = "/usr/bin";
/** Where an ordinary user often does not look for `ip`. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin";
/**
 * In a user namespace everybody may make the others. What is mounted, started or connected there ends with the first
 * process in it, which ends with the one that started it.
 */
const NAMESPACES = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc"];
const TRIAL =
  "ip link set lo up && ip link add name a type bridge && ip link add name b type veth peer name c";

/** For `skip`: why this user cannot have namespaces of his own here, or false. */
export function skipWithoutNamespaces(): string | false {
  const missing = ["unshare", "nsenter", "setpriv", "mount"].filter(
    (name) => !isExecutable(`${UTIL_LINUX}/${name}`),
  );
  if (missing.length > 0) return `needs namespaces, so ${missing.join(", ")} (util-linux)`;
  const [command, ...args] = inNamespaces("/bin/sh", "-c", TRIAL);
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", env: withSystemFolders() });
  if (status === 0) return false;
  return `needs namespaces (unshare --user) and iproute2: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

/** A command line that runs a program in namespaces of its own, as their root; nothing is connected there. */
export function inNamespaces(...program: readonly string[]): [command: string, ...args: string[]] {
  const unshare = [`${UTIL_LINUX}/unshare`, ...NAMESPACES, "--kill-child=KILL", "--", ...program];
  return [`${UTIL_LINUX}/setpriv`, "--pdeathsig", "KILL", "--", ...unshare];
}

/** The rest of a command line: a program with the network and the root folder of a service. */
export function insideOf(
  { network, root, folder }: { network: string; root: string; folder: string },
  ...program: readonly string[]
): [command: string, ...args: string[]] {
  const place = [`--net=${network}`, `--root=${root}`, `--wd=${root}${folder}`];
  return [`${UTIL_LINUX}/nsenter`, ...place, "--", ...program];
}

/** Runs a program that is to do its work without a word. @param input for it to read @throws Error what it said */
export function system([command, ...args]: readonly [string, ...string[]], input = ""): void {
  const { status, stderr, error } = spawnSync(command, args, {
    input,
    encoding: "utf8",
    env: withSystemFolders(),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

function withSystemFolders(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${SYSTEM_FOLDERS}` };
}
