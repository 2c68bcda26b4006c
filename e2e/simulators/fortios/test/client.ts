import { Device } from "../src/device.ts";
import { DEFAULT_TOKEN, type DeviceOptions } from "../src/state.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Parsed, where it is JSON. */
  readonly body: Envelope;
}
export interface Envelope {
  readonly error?: number;
  readonly cli_error?: string;
  readonly results?: unknown;
  readonly revision?: string;
  readonly revision_changed?: boolean;
  readonly old_revision?: string;
  readonly mkey?: string | number;
  readonly [field: string]: unknown;
}

/** Talks to a device in this process. The clock stands at `now` until a test moves it. */
export class Client {
  readonly device: Device;
  now = 1_700_000_000_000;
  headers: Record<string, string> = { authorization: `Bearer ${DEFAULT_TOKEN}`, "user-agent": "test" };
  source = "192.0.2.1";

  constructor(options: DeviceOptions = {}) {
    this.device = new Device(options);
  }

  /** @param path after `/api/v2/`; a raw `/…` is taken as it is */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Reply | "cut" | "hang" {
    const answer = this.device.handle(
      {
        method,
        url: path.startsWith("/") ? path : `/api/v2/${path}`,
        headers: { ...this.headers, ...headers },
        body: body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body),
        source: this.source,
      },
      this.now,
    );
    if (answer.kind !== "reply") return answer.kind;
    const { status, body: text } = answer;
    const isJson = answer.headers["content-type"] === "application/json";
    return { status, headers: answer.headers, text, body: (isJson ? JSON.parse(text) : {}) as Envelope };
  }

  /** A call that is answered. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Reply {
    const reply = this.call(method, path, body, headers);
    if (typeof reply === "string") throw new Error(`${method} ${path}: ${reply}`);
    return reply;
  }

  /** HTTP status, and the CLI code behind a slash: `200`, `500/-5`. */
  verdict(method: string, path: string, body?: unknown): string {
    const { status, body: envelope } = this.ask(method, path, body);
    return envelope.error === undefined ? String(status) : `${String(status)}/${String(envelope.error)}`;
  }

  /** The rows of a read. */
  rows(path: string): Record<string, unknown>[] {
    const { status, body, text } = this.ask("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${text}`);
    return body.results as Record<string, unknown>[];
  }

  address(name: string, subnet = "10.0.0.1/32"): void {
    this.done("POST", "cmdb/firewall/address", { name, subnet });
  }

  group(name: string, ...members: readonly string[]): void {
    this.done("POST", "cmdb/firewall/addrgrp", { name, member: names(...members) });
  }

  /** A call that has to succeed. */
  done(method: string, path: string, body?: unknown): Envelope {
    const { status, text, body: envelope } = this.ask(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${text}`);
    return envelope;
  }
}

export const names = (...list: readonly string[]): { name: string }[] => list.map((name) => ({ name }));

export const ADDRESS = "cmdb/firewall/address";
export const ADDRESS6 = "cmdb/firewall/address6";
export const GROUP = "cmdb/firewall/addrgrp";
export const GROUP6 = "cmdb/firewall/addrgrp6";
