import { z } from "zod";
import { natsSchema } from "@podgate/shared/bus/configuration";
import { AddressError, parseCidr } from "@podgate/shared/contract/address";
import { clusterName, targetName } from "@podgate/shared/contract/names";
import { logSection, opsSection } from "@podgate/shared/runtime/sections";
import { crossFaults } from "./configuration-faults.ts";

const file = z.string().min(1);

const cidr = z.string().superRefine((text, context) => {
  try {
    parseCidr(text);
  } catch (error) {
    if (error instanceof AddressError) context.addIssue({ code: "custom", message: error.message });
  }
});

/** A group on the bus, or a pattern: `*` stands for any run of characters. */
const groupPattern = z.string().min(1).max(320);

const guardsSchema = z.strictObject({
  massRemoval: z
    .strictObject({
      maxCount: z
        .int()
        .min(0)
        .optional()
        .describe("removals nobody saw happen that are never too many (default 5)"),
      maxShare: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe("nor is this share of the members, from 0 to 1 (default 0.2)"),
      windowSeconds: z.number().min(1).max(86_400).optional().describe("within this time (default 600)"),
    })
    .optional()
    .describe("more than both of these wait for podgate-pusher approve"),
  holdLastMember: z
    .boolean()
    .optional()
    .describe("an edit that leaves a group without a member waits likewise (default true)"),
});

const clusterSchema = z.strictObject({
  name: clusterName.describe("the cluster's name, as its watcher has it"),
  uid: z
    .string()
    .min(1)
    .optional()
    .describe("uid of its namespace kube-system; absent = the first one heard is kept"),
  groups: z.array(groupPattern).default(["*"]).describe("groups this cluster may feed (patterns)"),
  cidrs: z.array(cidr).default([]).describe("ranges its addresses must be in; empty = any"),
});

const targetSchema = z.strictObject({
  name: targetName.describe("name of this target in statuses, logs and metrics"),
  url: z
    .string()
    .regex(
      /^https?:\/\/[^/@?#\s]+\/?$/,
      "must look like https://host or https://host:port, without path or credentials",
    )
    .describe("the device's management address; of an HA pair that of the cluster"),
  vdom: z.string().min(1).max(31).default("root").describe("VDOM whose address groups are written"),
  tokenFile: file.describe("file that holds the token of a REST API administrator"),
  caFile: file.optional().describe("CA that signed the device's certificate; absent = the system's"),
  mode: z
    .enum(["enforce", "observe", "paused"])
    .default("enforce")
    .describe("enforce writes, observe only plans, paused does nothing"),
  removals: z.enum(["sync", "addOnly"]).default("sync").describe("addOnly never removes a member"),
  burst: z
    .int()
    .min(1)
    .max(10_000)
    .default(10)
    .describe("writes at once to an idle device; its targets must agree"),
  perSecond: z.number().positive().max(10_000).default(4).describe("writes a second after that; likewise"),
  timeoutSeconds: z.number().min(1).max(300).default(30).describe("how long one call may take"),
  guards: guardsSchema.optional().describe("as guards, for this target"),
});

const routeSchema = z.strictObject({
  targets: z.array(targetName).min(1).describe("targets this route goes to"),
  clusters: z
    .array(clusterName)
    .min(1)
    .describe("clusters it takes from; equal groups of several are united"),
  groups: z.array(groupPattern).min(1).describe("groups of those clusters (patterns)"),
  name: z
    .string()
    .optional()
    .describe(
      "the group's name on the firewall; {group} stands for its own, {namespace} and {name} for the parts of an AddressGroup's",
    ),
  polarity: z
    .enum(["allow", "deny"])
    .optional()
    .describe(
      "allow (the default), or deny: policies block these groups, so joining is urgent, and leaving opens the firewall",
    ),
  whenSilent: z
    .union([
      z.literal("keep"),
      z.strictObject({
        removeAfterSeconds: z
          .number()
          .min(60)
          .describe("remove all members of a cluster that was not verified for so long"),
      }),
    ])
    .optional()
    .describe("what becomes of the members of a cluster that is not heard (default keep)"),
  guards: guardsSchema.optional().describe("as guards, for the groups of this route"),
});

/** Everything a pusher can be told. */
export const configurationSchema = z
  .strictObject({
    install: z
      .string()
      .regex(/^[a-z0-9]{1,16}$/, "must be 1 to 16 of a-z and 0-9")
      .describe("names this installation on the firewalls: two installations can share one"),
    nats: natsSchema.describe("the bus"),
    bus: z
      .strictObject({
        replicas: z
          .union([z.literal(1), z.literal(3), z.literal(5)])
          .default(1)
          .describe("replicas of each stream: 1 for one NATS server, 3 for a cluster"),
      })
      .prefault({})
      .describe("what the pusher creates on it"),
    clusters: z.array(clusterSchema).min(1).describe("clusters that are heard, and what each may feed"),
    targets: z.array(targetSchema).min(1).describe("firewalls and VDOMs that are written"),
    routes: z.array(routeSchema).min(1).describe("which groups of which clusters go to which targets"),
    guards: guardsSchema.prefault({}).describe("from when on removals wait for a person's word"),
    silentSeconds: z
      .number()
      .min(1)
      .default(10)
      .describe("a cluster not heard for this long is unverified: nothing is removed on its behalf"),
    driftSeconds: z
      .number()
      .min(1)
      .default(300)
      .describe("how often a target is read to find what others changed"),
    leaseSeconds: z
      .number()
      .min(1)
      .max(60)
      .default(6)
      .describe(
        "a pusher not heard for this long loses its devices to another one; renewed every third of it",
      ),
    repair: z
      .boolean()
      .default(true)
      .describe("undo what others changed in Podgate's objects; false = only report"),
    ops: opsSection,
    log: logSection,
  })
  .superRefine(
    (configuration, context) => {
      for (const { path, message } of crossFaults(configuration)) {
        context.addIssue({ code: "custom", path: [...path], message });
      }
    },
    // Also when single fields are wrong: all faults are told at once.
    { when: () => true },
  );

export { deviceOf } from "./configuration-faults.ts";

export type Configuration = z.infer<typeof configurationSchema>;
export type TargetConfiguration = Configuration["targets"][number];
