import { createHash } from "node:crypto";
import { AddressError, canonicalAddress } from "@podgate/shared/contract/address";
import type { ChildOrigin } from "../firewall.ts";

/** Names of addresses and groups may have so many characters (recorded schemas of 6.2.7 to 7.2.8). */
const MAX_NAME = 79;
/** Comments, likewise. */
const MAX_COMMENT = 255;

const INSTALL = /^[a-z0-9]{1,16}$/;
const HASH_DIGITS = 12;
/** What follows the mark in the comment of a child. */
const ORIGIN = /^ (.+) of cluster ([a-z0-9-]+)$/;
/** Everything else is refused somewhere (Fortinet's document 651640 and its 7.6.5 swagger), or read as a path. */
const UNSAFE = /[^A-Za-z0-9._:-]+/g;
/** What FortiOS takes in the name of a group that a user chose. */
const USER_NAME = /^(?! )[A-Za-z0-9._: +=@/-]{1,79}(?<! )$/;

export interface ChildKey extends ChildOrigin {
  /** Number of the shard. */
  readonly n: number;
}

/** What is ours on a FortiGate, told by name and comment alone. */
export interface Names {
  /** In every name of ours; a filter by it needs no escaping. */
  readonly install: string;
  /** Begins the comment of everything of ours. */
  readonly mark: string;
  address(address: string): string;
  /** The address that a name stands for; undefined where it is not the name of an address object of ours. */
  addressOf(name: string): string | undefined;
  child(key: ChildKey): string;
  /** Has the form of a child of ours? Which one it is, the pusher tells by the names it would give itself. */
  isChild(name: string): boolean;
  /** Of our grammar, or near enough to be kept free of other people's groups. */
  isReserved(name: string): boolean;
  isMarked(comment: string): boolean;
  /** @param about what the object is for, for people who read the firewall */
  comment(about?: string): string;
  /** Whose mark a comment carries, in words, where it is not ours: another installation's. */
  otherManager(comment: string): string | undefined;
  /** The comment of a child: the mark, and what it was made for. */
  childComment(origin: ChildOrigin): string;
  /**
   * What a child was made for. Believed only where the name fits it, so a comment that was edited or cut tells
   * nothing; a plain name tells it even then.
   */
  origin(child: string, comment: string): ChildOrigin | undefined;
  /** Of our own placeholder, for devices that refuse both an empty group and `none` as a member. */
  readonly placeholder: string;
}

const OTHER_MARK = /^podgate ([a-z0-9]{1,16})(?![A-Za-z0-9])/;

/** May a user's group be called so? `.` and `..` would be folded away by whoever reads the URL. */
export function isParentName(name: string): boolean {
  return USER_NAME.test(name) && name !== "." && name !== "..";
}

/**
 * Names on a FortiGate. An address is `pg.<install>.<address>`, a child group `pg.<install>.<group>.<cluster>.<n>`.
 * A child's name that would be too long, hold a character FortiOS refuses, or read as an address, becomes
 * `pg.<install>.<what fits>.<n>.x<hash>`: it can't be read back, and can't be taken for a plain one.
 *
 * @param install 1 to 16 of a-z and 0-9; two installations that share a firewall differ in it
 * @throws RangeError for another one
 */
export function fortiGateNames(install: string): Names {
  if (!INSTALL.test(install)) {
    throw new RangeError(`install id "${install}": use 1 to 16 of a-z and 0-9`);
  }
  const prefix = `pg.${install}.`;
  const mark = `podgate ${install}`;
  const plain = new RegExp(`^pg\\.${install}\\.(.+)\\.([a-z0-9-]+)\\.(0|[1-9]\\d*)$`, "s");
  const hashed = new RegExp(`^pg\\.${install}\\..+\\.(?:0|[1-9]\\d*)\\.x[0-9a-f]{${HASH_DIGITS}}$`, "s");

  const addressOf = (name: string): string | undefined => {
    if (!name.startsWith(prefix)) return undefined;
    const rest = name.slice(prefix.length);
    return canonical(rest) === rest ? rest : undefined;
  };
  const isChild = (name: string): boolean =>
    name.length <= MAX_NAME && addressOf(name) === undefined && (plain.test(name) || hashed.test(name));

  const child = ({ group, cluster, n }: ChildKey): string => {
    const wanted = `${prefix}${group}.${cluster}.${String(n)}`;
    if (wanted.replace(UNSAFE, "-") === wanted && isChild(wanted)) return wanted;
    const digest = createHash("sha256")
      .update(JSON.stringify([group, cluster, n]))
      .digest("hex");
    const end = `.${String(n)}.x${digest.slice(0, HASH_DIGITS)}`;
    const readable = `${group}.${cluster}`.replace(UNSAFE, "-");
    return prefix + readable.slice(0, MAX_NAME - prefix.length - end.length) + end;
  };
  const comment = (about?: string): string => {
    const text = about === undefined || about === "" ? mark : `${mark} ${about}`;
    return text.replace(/[^\x20-\x7e]|["'<>()#\\?]/g, "-").slice(0, MAX_COMMENT);
  };
  const isMarked = (text: string): boolean =>
    text.startsWith(mark) && !/^[A-Za-z0-9]/.test(text.slice(mark.length));
  const otherManager = (text: string): string | undefined => {
    const [, other] = OTHER_MARK.exec(text) ?? [];
    return other === undefined || other === install ? undefined : `the Podgate installation ${other}`;
  };
  const origin = (name: string, text: string): ChildOrigin | undefined => {
    if (!isChild(name)) return undefined;
    const isHashed = hashed.test(name);
    const [, group = "", cluster = "", shard] = (isHashed ? undefined : plain.exec(name)) ?? [];
    if (shard !== undefined) return { group, cluster };
    const [, saidGroup = "", saidCluster = ""] = ORIGIN.exec(text.slice(mark.length)) ?? [];
    const n = Number(/\.(\d+)\.x[0-9a-f]+$/.exec(name)?.[1]);
    const said = { group: saidGroup, cluster: saidCluster };
    return isMarked(text) && child({ ...said, n }) === name ? said : undefined;
  };

  return {
    install,
    mark,
    placeholder: `${prefix}empty`,
    address: (address) => prefix + address,
    addressOf,
    child,
    isChild,
    isReserved: (name) => name.startsWith(prefix),
    isMarked,
    otherManager,
    comment,
    childComment: ({ group, cluster }) => comment(`${group} of cluster ${cluster}`),
    origin,
  };
}

function canonical(text: string): string | undefined {
  try {
    return canonicalAddress(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}
