import { z } from "zod";

/** RFC 1123 label: what Kubernetes allows for a namespace, and Podgate for clusters and targets. */
export const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** A cluster's unique configured name. */
export const clusterName = z
  .string()
  .regex(LABEL, "must be 1 to 63 of a-z, 0-9 and '-', and start and end with a letter or digit");

/** A firewall target's configured name; part of a KV key, so as narrow as a cluster's. */
export const targetName = clusterName;

const SUBDOMAIN = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*";
const NAMESPACED = new RegExp(`^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?/(?=.{1,253}$)${SUBDOMAIN}$`);

/**
 * What `spec.groupName` of a ClusterAddressGroup may be: up to 79 characters, the most FortiOS takes for an
 * address group (recorded schemas of 6.2.7 to 7.2.8), without the characters it refuses in names
 * (`<>()"'#`, and `/`, which older firmware reads as a path). `__proto__` is
 * nobody's name: zod drops it from what it reads, and a status would lose the group without a word.
 */
export const FIREWALL_NAME = /^(?! |__proto__$)[A-Za-z0-9._: +=@-]{1,79}(?<! )$/;

/**
 * An address group as it is named on the bus: the name (or `spec.groupName`) of a ClusterAddressGroup, or
 * `namespace/name` of an AddressGroup.
 */
export const groupName = z
  .string()
  .max(320)
  .refine((name) => FIREWALL_NAME.test(name) || NAMESPACED.test(name) || isSubdomain(name), {
    message:
      "must be a name FortiOS accepts (79 of A-Z, a-z, 0-9, . _ : + = @ - and space), or namespace/name",
  });

function isSubdomain(name: string): boolean {
  return name.length <= 253 && new RegExp(`^${SUBDOMAIN}$`).test(name);
}
