import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { Outcome } from "./call.ts";
import type { Edit } from "./console.ts";
import type { Device } from "./device.ts";
import { FAULT_KINDS, type Fault } from "./fault.ts";
import { groupsPage } from "./page.ts";
import type { LogFilter } from "./request-log.ts";
import type { Family } from "./resolve.ts";
import { readBody, type Handler } from "./server.ts";
import { DEFAULT_SWITCHES, type Switches } from "./switches.ts";

/** What the control endpoint steers. */
export interface Controlled {
  readonly device: Device;
  edit(change: Edit): Outcome;
  failover(serial?: string): string;
  save(): void;
  reboot(downFor?: number): void;
}

const HELP = `Control endpoint of the FortiOS simulator. No authentication: keep it on loopback.

GET    /                      the groups as a page, reloading
GET    /groups?vdom=          groups with members and resolved addresses, as JSON
GET    /addresses?vdom=       addresses, as JSON
GET    /log?since=&limit=&method=&path=&vdom=&writes=1&changed=1&status=
DELETE /log                   forget the log and the history
GET    /history?since=        every change of a group's members or an address' value
GET    /memberships?vdom=&group=&family=ipv4|ipv6
GET    /faults                POST {kind, methods, path, vdom, times, after, ms, status, code}   DELETE [?id=]
GET    /switches              PATCH {name: value}
GET    /latency               PATCH {write, read, writePerThousandRows} (ms)
GET    /users                 POST {name, token, profile, vdoms}   DELETE ?name=
GET    /lockout               DELETE
POST   /edit                  {vdom, method, path, body}: an administrator at the console
POST   /failover {serial}     POST /save     POST /reboot {downFor}
`;

const FAULT = z.strictObject({
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
const EDIT = z.strictObject({
  vdom: z.string().optional(),
  method: z.enum(["POST", "PUT", "DELETE"]),
  path: z.string(),
  body: z.record(z.string(), z.unknown()).optional(),
});
const LATENCY = z.strictObject({
  write: z.number().min(0).optional(),
  read: z.number().min(0).optional(),
  writePerThousandRows: z.number().min(0).optional(),
});
const RIGHT = z.enum(["none", "read", "read-write"]);
const GROUP_RIGHT = z.enum(["none", "read", "read-write", "custom"]);
const USER = z.strictObject({
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
const SWITCH_NAMES = Object.keys(DEFAULT_SWITCHES) as (keyof Switches)[];
const SWITCHES = z.strictObject(
  Object.fromEntries(SWITCH_NAMES.map((name) => [name, z.unknown().optional()])),
);

/** Without its optional fields that are undefined: what zod gives is looser than what the types ask. */
function tight<T>(value: object): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

type Answerer = (query: URLSearchParams, body: unknown) => unknown;

export function controlHandler(controlled: Controlled): Handler {
  const routes = routesOf(controlled);
  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://control");
    if (request.method === "GET" && url.pathname === "/") {
      reply(response, 200, "text/html; charset=utf-8", groupsPage(controlled.device));
      return;
    }
    if (request.method === "GET" && url.pathname === "/help") {
      reply(response, 200, "text/plain; charset=utf-8", HELP);
      return;
    }
    const route = routes[`${request.method ?? "GET"} ${url.pathname}`];
    if (route === undefined) {
      reply(response, 404, "text/plain; charset=utf-8", HELP);
      return;
    }
    try {
      const text = await readBody(request);
      const result = route(url.searchParams, text === "" ? {} : (JSON.parse(text) as unknown));
      reply(response, 200, "application/json", JSON.stringify(result ?? {}));
    } catch (error) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : String((error as Error).message);
      reply(response, 400, "application/json", JSON.stringify({ error: message }));
    }
  };
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function routesOf({ device, edit, failover, save, reboot }: Controlled): Readonly<Record<string, Answerer>> {
  const vdomsIn = (query: URLSearchParams): string[] => {
    const vdom = query.get("vdom");
    return vdom === null ? device.configuration.names() : [vdom];
  };
  return {
    "GET /groups": (query) =>
      vdomsIn(query).flatMap((vdom) =>
        [...device.groups(vdom, "ipv4"), ...device.groups(vdom, "ipv6")].map((group) => ({
          vdom,
          ...group,
          row: undefined,
        })),
      ),
    "GET /addresses": (query) =>
      vdomsIn(query).flatMap((vdom) =>
        [...device.addresses(vdom, "ipv4"), ...device.addresses(vdom, "ipv6")].map((item) => ({
          vdom,
          ...item,
          row: undefined,
        })),
      ),
    "GET /log": (query) => device.log.entries(logFilter(query)),
    "DELETE /log": () => {
      device.log.clear();
      device.chronicle.clear(device.configuration);
    },
    "GET /history": (query) => device.chronicle.entries(Number(query.get("since") ?? 0)),
    "GET /memberships": (query) =>
      device.chronicle.memberships(
        query.get("vdom") ?? device.settings.managementVdom,
        query.get("group") ?? "",
        (query.get("family") ?? "ipv4") as Family,
      ),
    "GET /faults": () => device.faults.list(),
    "POST /faults": (_, body) => ({ id: device.faults.add(tight<Fault>(FAULT.parse(body))) }),
    "DELETE /faults": (query) => {
      const id = query.get("id");
      device.faults.clear(id === null ? undefined : Number(id));
    },
    "GET /switches": () => device.switches,
    "PATCH /switches": (_, body) => {
      device.switches = { ...device.switches, ...tight<Partial<Switches>>(SWITCHES.parse(body)) };
      return device.switches;
    },
    "GET /latency": () => device.latency,
    "PATCH /latency": (_, body) => {
      device.latency = { ...device.latency, ...tight<object>(LATENCY.parse(body)) };
      return device.latency;
    },
    "GET /users": () => device.users.map((user) => ({ ...user, token: "***" })),
    "POST /users": (_, body) => {
      device.setUser(tight(USER.parse(body)));
    },
    "DELETE /users": (query) => {
      device.removeUser(query.get("name") ?? "");
    },
    "GET /lockout": () => device.lockout.state(Date.now()),
    "DELETE /lockout": () => {
      device.lockout.clear();
    },
    "POST /edit": (_, body) => edit(tight<Edit>(EDIT.parse(body))),
    "POST /failover": (_, body) => ({
      serial: failover(z.strictObject({ serial: z.string().optional() }).parse(body).serial),
    }),
    "POST /save": () => {
      save();
    },
    "POST /reboot": (_, body) => {
      reboot(z.strictObject({ downFor: z.number().min(0).optional() }).parse(body).downFor);
    },
  };
}

function logFilter(query: URLSearchParams): LogFilter {
  const number = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) : undefined;
  const methods = query.getAll("method");
  return tight<LogFilter>({
    since: number("since"),
    limit: number("limit"),
    status: number("status"),
    path: query.get("path") ?? undefined,
    vdom: query.get("vdom") ?? undefined,
    methods: methods.length === 0 ? undefined : methods,
    changed: query.has("changed") ? query.get("changed") !== "0" : undefined,
    writes: query.has("writes") ? query.get("writes") !== "0" : undefined,
  });
}
