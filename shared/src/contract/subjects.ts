import { canonicalAddress } from "./address.ts";
import { LABEL } from "./names.ts";

/**
 * The NATS names of the bus. A token of a subject may hold anything but white space, '.', '*' and '>'; ours
 * keep letters, digits and '-' and write every other byte of the UTF-8 text as '_' and two hex digits.
 */
export function encodeToken(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `_${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

/** @throws SubjectError for a token that `encodeToken` never makes */
export function decodeToken(token: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < token.length; at += 1) {
    const char = token[at] ?? "";
    if (char === "_") {
      const hex = token.slice(at + 1, at + 3);
      if (!/^[0-9a-f]{2}$/.test(hex)) throw new SubjectError(`bad escape in token "${token}"`);
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(char.codePointAt(0) ?? 0);
    }
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw new SubjectError(`token "${token}" is not UTF-8`);
  }
  if (encodeToken(text) !== token) throw new SubjectError(`token "${token}" has a second spelling`);
  return text;
}

export class SubjectError extends Error {
  override name = "SubjectError";
}

/** `10.0.0.1` → `10-0-0-1`, `2001:db8::7` → `2001-db8--7`: four single numbers can only be IPv4. */
export function encodeAddress(address: string): string {
  return address.replaceAll(/[.:]/g, "-");
}

/** @throws SubjectError unless the token is the one `encodeAddress` makes of a canonical address */
export function decodeAddress(token: string): string {
  const text = /^\d+-\d+-\d+-\d+$/.test(token) ? token.replaceAll("-", ".") : token.replaceAll("-", ":");
  let address: string | undefined;
  try {
    address = canonicalAddress(text);
  } catch {
    // Reported below with the token, which is what an operator sees on the bus.
  }
  if (address === undefined || encodeAddress(address) !== token) {
    throw new SubjectError(`"${token}" is no address token`);
  }
  return address;
}

export const streamOf = (cluster: string): string => `PODGATE_${cluster}`;
export const stateSubject = (cluster: string): string => `podgate.clusters.${cluster}`;
export const pokeSubject = (cluster: string): string => `podgate.poke.${cluster}`;
export const membersWildcard = (cluster: string): string => `podgate.members.${cluster}.>`;

export function memberSubject(cluster: string, group: string, address: string): string {
  return `podgate.members.${cluster}.${encodeToken(group)}.${encodeAddress(address)}`;
}

export type Subject =
  | { readonly kind: "member"; readonly cluster: string; readonly group: string; readonly address: string }
  | { readonly kind: "state"; readonly cluster: string };

/** What a subject of a cluster's stream stands for. @throws SubjectError for any other subject */
export function parseSubject(subject: string): Subject {
  const [root, table, cluster, group, address, ...rest] = subject.split(".");
  if (root === "podgate" && cluster !== undefined && LABEL.test(cluster) && rest.length === 0) {
    if (table === "clusters" && group === undefined) return { kind: "state", cluster };
    if (table === "members" && group && address) {
      return { kind: "member", cluster, group: decodeToken(group), address: decodeAddress(address) };
    }
  }
  throw new SubjectError(`"${subject}" is no subject of Podgate`);
}
