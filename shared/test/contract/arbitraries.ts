import fc from "fast-check";
import { canonicalAddress } from "../../src/contract/address.ts";

const LOWER = Array.from("abcdefghijklmnopqrstuvwxyz0123456789");

/** RFC 1123 label: what Kubernetes lets a cluster or a namespace be called. */
export const label: fc.Arbitrary<string> = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...LOWER), minLength: 1, maxLength: 1 }),
    fc.string({ unit: fc.constantFrom(...LOWER, "-"), maxLength: 61, size: "max" }),
    fc.string({ unit: fc.constantFrom(...LOWER), minLength: 1, maxLength: 1 }),
  )
  .map(([head, middle, tail]) => head + middle + tail);

const subdomain = fc.array(label, { minLength: 1, maxLength: 5, size: "max" }).map((labels) =>
  labels
    .join(".")
    .slice(0, 253)
    .replace(/[-.]+$/, ""),
);

const FIREWALL = Array.from("ABCXYZabcxyz0189._: +=@-");
const firewallName = fc
  .string({ unit: fc.constantFrom(...FIREWALL), minLength: 1, maxLength: 79, size: "max" })
  .filter((name) => name.trim() === name);

/** Every shape of a group's name on the bus. */
export const group: fc.Arbitrary<string> = fc.oneof(
  subdomain,
  firewallName,
  fc.tuple(label, subdomain).map(([namespace, name]) => `${namespace}/${name}`),
);

const ipv4 = fc.ipV4().filter((text) => text !== "0.0.0.0");
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .filter((words) => words.some((word) => word !== 0))
  .map((words) => words.map((word) => word.toString(16)).join(":"));

/** Some spelling of an address, not necessarily the canonical one. */
export const spelled: fc.Arbitrary<string> = fc.oneof(ipv4, ipv6, fc.ipV6().filter(isAddress));

export const address: fc.Arbitrary<string> = spelled.map(canonicalAddress);

function isAddress(text: string): boolean {
  try {
    return canonicalAddress(text) !== "";
  } catch {
    return false;
  }
}
