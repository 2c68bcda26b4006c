import { AddressError, canonicalAddress, familyOf } from "@podgate/shared/contract/address";
import { isObject } from "./envelope.ts";

/** A row of `address` or `address6`, as far as we look at it. */
export interface AddressRow {
  readonly name: string;
  readonly comment: string;
  /** Absent where the reply left it out. */
  readonly type?: string;
  /** `10.0.0.1 255.255.255.255`, or `2001:db8::1/128` */
  readonly value?: string;
}

/** A row of `addrgrp` or `addrgrp6`. */
export interface GroupRow {
  readonly name: string;
  readonly comment: string;
  readonly members: readonly string[];
}

/**
 * Rows of a list reply; what is no row with a name and content of the right types is left out, so that whoever asked
 * can count. Unknown attributes are ignored.
 */
export function addressRows(results: unknown): AddressRow[] {
  return named(results).flatMap(addressRow);
}

function addressRow(row: Named): AddressRow[] {
  const value = row["ip6"] ?? row["subnet"];
  if (value !== undefined && typeof value !== "string") return [];
  return [
    {
      name: row.name,
      comment: textOf(row["comment"]),
      ...(typeof row["type"] === "string" ? { type: row["type"] } : {}),
      ...(value === undefined ? {} : { value }),
    },
  ];
}

/** Likewise: a group whose members can't be read is none that holds nobody. */
export function groupRows(results: unknown): GroupRow[] {
  return named(results).flatMap((row) => {
    const given = row["member"] ?? [];
    // Rows of members carry `q_origin_key` too, which must never go back into a write.
    const members = named(given).map((member) => member.name);
    const isWhole = Array.isArray(given) && members.length === given.length;
    return isWhole ? [{ name: row.name, comment: textOf(row["comment"]), members }] : [];
  });
}

type Named = { readonly name: string } & Readonly<Record<string, unknown>>;

function named(value: unknown): Named[] {
  if (!Array.isArray(value)) return [];
  return value.filter((row): row is Named => isObject(row) && typeof row["name"] === "string");
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The body that makes or mends the object of one address. */
export function hostFields(address: string): { type: string; subnet?: string; ip6?: string } {
  return familyOf(address) === 4
    ? { type: "ipmask", subnet: `${address} 255.255.255.255` }
    : { type: "ipprefix", ip6: `${address}/128` };
}

/** Does the object stand for this one address and nothing else? */
export function holdsExactly(row: AddressRow, address: string): boolean {
  const isV4 = familyOf(address) === 4;
  if (row.type !== undefined && row.type !== (isV4 ? "ipmask" : "ipprefix")) return false;
  return row.value !== undefined && prefixOf(row.value) === `${address}/${isV4 ? "32" : "128"}`;
}

/** What an object holds, for people. */
export function contentOf({ type, value }: AddressRow): string {
  return [type, value === undefined ? undefined : (prefixOf(value) ?? value)].filter(Boolean).join(" ");
}

const MASK = /^(\S+)[ /](\d{1,3}(?:\.\d{1,3}){3})$/;

/**
 * One spelling of a prefix: FortiOS takes `10.0.0.1/32` and gives back `10.0.0.1 255.255.255.255`; IPv6 in any case
 * and compression. Undefined for what is none, for instance a mask with holes.
 */
export function prefixOf(text: string): string | undefined {
  const dotted = MASK.exec(text.trim());
  const [head = "", tail] = dotted === null ? text.trim().split("/") : [dotted[1], dotted[2]];
  const address = canonical(head);
  if (address === undefined) return undefined;
  const most = familyOf(address) === 4 ? 32 : 128;
  if (tail === undefined) return `${address}/${String(most)}`;
  const bits = tail.includes(".") ? maskBits(tail) : /^\d{1,3}$/.test(tail) ? Number(tail) : undefined;
  return bits === undefined || bits > most ? undefined : `${address}/${String(bits)}`;
}

function canonical(text: string): string | undefined {
  try {
    return canonicalAddress(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

function maskBits(mask: string): number | undefined {
  const octets = mask.split(".").map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  const bits = octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? (bits.indexOf("0") === -1 ? 32 : bits.indexOf("0")) : undefined;
}
