import { z } from "zod";
import { FAULT_KINDS } from "./fault.ts";
import type { LogFilter } from "./request-log.ts";
import { switchFault, type Switches } from "./switches.ts";

/** What the control endpoint takes. */
export const FAULT = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  methods: z.array(z.string()).optional(),
  path: z.string().optional(),
  vdom: z.string().optional(),
  times: z.number().int().min(0).optional(),
  after: z.number().int().min(0).optional(),
  ms: z.number().min(0).optional(),
  status: z.number().int().optional(),
  code: z.number().int().optional(),
});

export const EDIT = z.strictObject({
  vdom: z.string().optional(),
  method: z.enum(["POST", "PUT", "DELETE"]),
  path: z.string(),
  body: z.record(z.string(), z.unknown()).optional(),
});

export const LATENCY = z.strictObject({
  write: z.number().min(0).optional(),
  read: z.number().min(0).optional(),
  writePerThousandRows: z.number().min(0).optional(),
});

const RIGHT = z.enum(["none", "read", "read-write"]);
const GROUP_RIGHT = z.enum(["none", "read", "read-write", "custom"]);

export const USER = z.strictObject({
  name: z.string(),
  token: z.string(),
  profile: z.strictObject({
    fwgrp: GROUP_RIGHT,
    "fwgrp-permission": z
      .partialRecord(z.enum(["policy", "address", "service", "schedule", "others"]), RIGHT)
      .optional(),
    sysgrp: GROUP_RIGHT,
    "sysgrp-permission": z.partialRecord(z.enum(["admin", "upd", "cfg", "mnt"]), RIGHT).optional(),
  }),
  vdoms: z.union([z.literal("*"), z.array(z.string())]),
  trustedHosts: z.array(z.string()).optional(),
});

export const NOTHING_MORE = {
  serial: z.strictObject({ serial: z.string().optional() }),
  name: z.strictObject({ name: z.string().min(1).max(31) }),
  downFor: z.strictObject({ downFor: z.number().min(0).optional() }),
};

/** @throws Error naming each wrong switch */
export function switchesFrom(body: unknown): Partial<Switches> {
  const given = z.record(z.string(), z.unknown()).parse(body);
  const faults = Object.entries(given).flatMap(([name, value]) => switchFault(name, value) ?? []);
  if (faults.length > 0) throw new Error(faults.join("; "));
  return given;
}

/** Without the fields that are undefined: what zod gives is looser than what the types ask. */
export function tight(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

export function logFilterOf(query: URLSearchParams): LogFilter {
  const number = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) : undefined;
  const yes = (name: string): boolean | undefined => (query.has(name) ? query.get(name) !== "0" : undefined);
  const methods = query.getAll("method");
  return tight({
    since: number("since"),
    offset: number("offset"),
    limit: number("limit"),
    status: number("status"),
    path: query.get("path") ?? undefined,
    vdom: query.get("vdom") ?? undefined,
    methods: methods.length === 0 ? undefined : methods,
    changed: yes("changed"),
    writes: yes("writes"),
  });
}
