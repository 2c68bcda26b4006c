import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newNkey, publicNkey } from "@podgate/shared/bus/nkey";
import { clusterPermissions, pusherPermissions, type Permissions } from "@podgate/shared/bus/permissions";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "../configuration.ts";
import type { Answer } from "./answer.ts";

export interface BusUsersOptions {
  /** Folder of the seeds and of `users.conf`; made if it is not there. */
  readonly folder: string;
  /** This user gets a new key; the one it has stays valid until its file is deleted. */
  readonly rotate: string | undefined;
}

interface User {
  readonly name: string;
  readonly permissions: Permissions;
}

const PUSHER = "pusher";

/**
 * Makes what NATS must know of each cluster and of the pusher: `users.conf` for nats-server, which holds public keys
 * and rights only, and a seed (`<user>.nk`) for each of them. Keys that are there are kept.
 *
 * @throws UserError for a folder that cannot be written, and for a user that there is not
 */
export function busUsersCommand(
  { clusters }: Pick<Configuration, "clusters">,
  { folder, rotate }: BusUsersOptions,
): Answer {
  const names = clusters.map(({ name }) => name);
  const users: User[] = [
    ...names.map((name) => ({ name: `cluster-${name}`, permissions: clusterPermissions(name) })),
    { name: PUSHER, permissions: pusherPermissions(names) },
  ];
  if (rotate !== undefined && !users.some(({ name }) => name === rotate)) {
    const all = users.map(({ name }) => name).join(", ");
    throw new UserError(`--rotate ${rotate}: there is no such user; there are ${all}`);
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const keyed = users.map(({ name, permissions }) => {
      const { seed, state, keys } = keysOf(folder, name, name === rotate);
      return { name, permissions, seed, state, keys };
    });
    const file = join(folder, "users.conf");
    writeFileSync(file, usersConfiguration(keyed));
    return answerOf(file, keyed);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UserError(`${path ?? folder}: cannot be written (${code}); choose another --out`);
  }
}

interface Keys {
  readonly seed: string;
  readonly state: "made" | "kept" | "rotated";
  /** Public keys, the one in force first. */
  readonly keys: readonly string[];
}

function keysOf(folder: string, name: string, isRotated: boolean): Keys {
  const seed = join(folder, `${name}.nk`);
  const previous = join(folder, `${name}.previous.nk`);
  const isThere = existsSync(seed);
  if (isThere && isRotated) renameSync(seed, previous);
  if (!isThere || isRotated) writeFileSync(seed, newNkey(), { mode: 0o600, flag: "wx" });
  const keys = [seed, previous].filter((file) => existsSync(file)).map((file) => publicKeyIn(file));
  return { seed, keys, state: !isThere ? "made" : isRotated ? "rotated" : "kept" };
}

function publicKeyIn(file: string): string {
  const key = publicNkey(readFileSync(file, "utf8").trim());
  if (key !== undefined) return key;
  throw new UserError(`${file}: holds no seed of an nkey user; delete it, and a new one is made`);
}

/** The `authorization` block of nats-server, a user for each key. */
export function usersConfiguration(
  users: readonly {
    readonly name: string;
    readonly keys: readonly string[];
    readonly permissions: Permissions;
  }[],
): string {
  const blocks = users.flatMap(({ name, keys, permissions: { publish, subscribe } }) =>
    keys.map((key, at) =>
      [
        `    # ${name}${at > 0 ? ", the key it had before" : ""}`,
        "    {",
        `      nkey: ${key}`,
        "      permissions: {",
        `        publish: { allow: [\n${listed(publish.allow)}\n        ] }`,
        `        subscribe: { allow: [\n${listed(subscribe.allow)}\n        ] }`,
        "      }",
        "    }",
      ].join("\n"),
    ),
  );
  return `# Written by "podgate-pusher bus users". In nats-server.conf: include users.conf\nauthorization {\n  users: [\n${blocks.join("\n")}\n  ]\n}\n`;
}

const listed = (subjects: readonly string[]): string =>
  subjects.map((subject) => `          ${JSON.stringify(subject)}`).join("\n");

function answerOf(file: string, users: readonly (User & Keys)[]): Answer {
  const lines = users.map(({ name, seed, state, keys }) => {
    const before =
      keys.length > 1 ? "; the key before it is valid until its file .previous.nk is deleted" : "";
    return `${name}: ${state}, seed in ${seed}${before}`;
  });
  return {
    text: [...lines, `${file}: include it in nats-server.conf, and reload the server`].join("\n"),
    json: { file, users: users.map(({ name, seed, state, keys }) => ({ name, seed, state, keys })) },
    code: 0,
  };
}
