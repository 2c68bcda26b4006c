import ipaddr from "ipaddr.js";

export type Family = 4 | 6;

export class AddressError extends Error {
  override name = "AddressError";
}

/** Its own check, since the library reads a leading zero as octal. */
const OCTETS = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/;

/**
 * The one spelling of a host address that Podgate compares, stores and publishes: dotted decimal for IPv4,
 * RFC 5952 (lower case, longest run of zeros compressed) for IPv6. An IPv4-mapped IPv6 address folds to IPv4.
 *
 * Refused, because two parties could read them differently: leading zeros and shortened forms of IPv4,
 * zones (`fe80::1%eth0`), prefixes, and the unspecified address.
 *
 * @throws AddressError naming the text and the reason
 */
export function canonicalAddress(text: string): string {
  if (text.includes("%"))
    throw new AddressError(`"${text}" carries a zone, which means nothing on a firewall`);
  if (OCTETS.test(text)) {
    if (!ipaddr.IPv4.isValid(text)) throw new AddressError(`"${text}" is not an IPv4 address`);
    return refuseUnspecified(text);
  }
  if (!isIpv6(text)) {
    throw new AddressError(`"${text}" is not an IPv4 or IPv6 address in its usual form`);
  }
  const parsed = ipaddr.IPv6.parse(text);
  if (parsed.isIPv4MappedAddress()) return refuseUnspecified(parsed.toIPv4Address().toString());
  return refuseUnspecified(parsed.toRFC5952String());
}

function isIpv6(text: string): boolean {
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text)) return false;
  const tail = text.slice(text.lastIndexOf(":") + 1);
  return !tail.includes(".") || OCTETS.test(tail);
}

function refuseUnspecified(address: string): string {
  if (address === "0.0.0.0" || address === "::") {
    throw new AddressError(`"${address}" is the unspecified address`);
  }
  return address;
}

/** The family of a canonical address. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

export interface Cidr {
  readonly text: string;
  contains(address: string): boolean;
}

/**
 * An address range such as `10.0.0.0/8` or `2001:db8::/32`; a bare address is its own range.
 *
 * @throws AddressError for anything else
 */
export function parseCidr(text: string): Cidr {
  const [head = "", prefix, ...rest] = text.split("/");
  const base = canonicalBase(rest.length === 0 ? head : "", text);
  const bits = prefix === undefined ? base.toByteArray().length * 8 : prefixLength(prefix, base, text);
  return {
    text,
    contains: (address) => {
      const parsed = ipaddr.parse(address);
      return parsed.kind() === base.kind() && parsed.match(base, bits);
    },
  };
}

function canonicalBase(head: string, text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  if (OCTETS.test(head) || (!head.includes("%") && isIpv6(head))) {
    try {
      return ipaddr.parse(head);
    } catch {
      // Falls to the one message below: the pattern lets 256.0.0.1 pass.
    }
  }
  throw new AddressError(`"${text}" is not an address range such as 10.0.0.0/8`);
}

function prefixLength(prefix: string, base: ipaddr.IPv4 | ipaddr.IPv6, text: string): number {
  const most = base.toByteArray().length * 8;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most) {
    throw new AddressError(`"${text}" needs a prefix length from 0 to ${most} after the slash`);
  }
  return Number(prefix);
}
