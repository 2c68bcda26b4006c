import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { Outcome } from "./call.ts";
import type { Edit } from "./console.ts";
import {
  EDIT,
  FAULT,
  LATENCY,
  logFilterOf,
  NOTHING_MORE,
  switchesFrom,
  tight,
  USER,
} from "./control-input.ts";
import type { Device } from "./device.ts";
import { groupsPage } from "./page.ts";
import type { Family } from "./resolve.ts";
import { readBody, type Handler } from "./server.ts";
import type { ApiUser } from "./access.ts";
import type { Fault } from "./fault.ts";
import type { Latency } from "./latency.ts";

/** What the control endpoint steers. */
export interface Controlled {
  readonly device: Device;
  readonly edit: (change: Edit) => Outcome;
  readonly failover: (serial?: string) => string;
  readonly save: () => void;
  readonly reboot: (downFor?: number) => void;
  readonly addVdom: (name: string) => void;
  readonly removeVdom: (name: string) => void;
  readonly renewCertificate: () => Promise<string | undefined>;
}

const HELP = `Control endpoint of the FortiOS simulator. No authentication: keep it on loopback.

GET    /                      the groups as a page, reloading
GET    /groups?vdom=          groups with members and resolved addresses, as JSON
GET    /addresses?vdom=       addresses, as JSON
GET    /state                 everything: each VDOM, each table, each row
GET    /log?since=&offset=&limit=&method=&path=&vdom=&writes=1&changed=1&status=
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
POST   /vdoms {name}          DELETE ?name=
POST   /certificate           another certificate, of another authority: {ca}
`;

type Answerer = (query: URLSearchParams, body: unknown) => unknown;
type Routes = Readonly<Record<string, Answerer>>;

export function controlHandler(controlled: Controlled): Handler {
  const routes: Routes = { ...views(controlled), ...levers(controlled) };
  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://control");
    const asked = `${request.method ?? "GET"} ${url.pathname}`;
    if (asked === "GET /") {
      reply(response, 200, "text/html; charset=utf-8", groupsPage(controlled.device));
      return;
    }
    const route = routes[asked];
    if (route === undefined) {
      reply(response, asked === "GET /help" ? 200 : 404, "text/plain; charset=utf-8", HELP);
      return;
    }
    try {
      const text = await readBody(request);
      const result = await route(url.searchParams, text === "" ? {} : (JSON.parse(text) as unknown));
      reply(response, 200, "application/json", JSON.stringify(result ?? {}));
    } catch (error) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
      reply(response, 400, "application/json", JSON.stringify({ error: message }));
    }
  };
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** What can be looked at. */
function views({ device }: Controlled): Routes {
  const vdomsIn = (query: URLSearchParams): string[] => {
    const vdom = query.get("vdom");
    return vdom === null ? device.configuration.names() : [vdom];
  };
  return {
    "GET /groups": (query) =>
      vdomsIn(query).flatMap((vdom) => {
        const groups = [...device.groups(vdom, "ipv4"), ...device.groups(vdom, "ipv6")];
        return groups.map((group) => Object.assign(group, { vdom, row: undefined }));
      }),
    "GET /addresses": (query) =>
      vdomsIn(query).flatMap((vdom) => {
        const addresses = [...device.addresses(vdom, "ipv4"), ...device.addresses(vdom, "ipv6")];
        return addresses.map((address) => Object.assign(address, { vdom, row: undefined }));
      }),
    "GET /state": () => device.dump(),
    "GET /log": (query) => device.log.entries(logFilterOf(query)),
    "GET /history": (query) => device.chronicle.entries(Number(query.get("since") ?? 0)),
    "GET /memberships": (query) =>
      device.chronicle.memberships(
        query.get("vdom") ?? device.settings.managementVdom,
        query.get("group") ?? "",
        (query.get("family") ?? "ipv4") as Family,
      ),
    "GET /faults": () => device.faults.list(),
    "GET /switches": () => device.switches,
    "GET /latency": () => device.latency,
    "GET /users": () => device.users.map((user) => Object.assign({}, user, { token: undefined })),
    "GET /lockout": () => device.lockout.state(Date.now()),
  };
}

/** What can be changed. */
function levers(controlled: Controlled): Routes {
  const { device, edit, failover, save, reboot } = controlled;
  return {
    "POST /vdoms": (_query, body) => {
      controlled.addVdom(NOTHING_MORE.name.parse(body).name);
    },
    "DELETE /vdoms": (query) => {
      controlled.removeVdom(query.get("name") ?? "");
    },
    "POST /certificate": async () => ({ ca: await controlled.renewCertificate() }),
    "DELETE /log": () => {
      device.log.clear();
      device.chronicle.clear(device.configuration);
    },
    "POST /faults": (_query, body) => ({
      id: device.faults.add(tight(FAULT.parse(body)) as unknown as Fault),
    }),
    "DELETE /faults": (query) => {
      const id = query.get("id");
      device.faults.clear(id === null ? undefined : Number(id));
    },
    "PATCH /switches": (_query, body) => {
      device.switches = { ...device.switches, ...switchesFrom(body) };
      return device.switches;
    },
    "PATCH /latency": (_query, body) => {
      device.latency = { ...device.latency, ...(tight(LATENCY.parse(body)) as Partial<Latency>) };
      return device.latency;
    },
    "POST /users": (_query, body) => {
      device.setUser(tight(USER.parse(body)) as unknown as ApiUser);
    },
    "DELETE /users": (query) => {
      device.removeUser(query.get("name") ?? "");
    },
    "DELETE /lockout": () => {
      device.lockout.clear();
    },
    "POST /edit": (_query, body) => edit(tight(EDIT.parse(body)) as unknown as Edit),
    "POST /failover": (_query, body) => ({ serial: failover(NOTHING_MORE.serial.parse(body).serial) }),
    "POST /save": () => {
      save();
    },
    "POST /reboot": (_query, body) => {
      reboot(NOTHING_MORE.downFor.parse(body).downFor);
    },
  };
}
