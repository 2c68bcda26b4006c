import { Device } from "@podgate/fortios-simulator/device";
import { DEFAULT_TOKEN, type DeviceOptions } from "@podgate/fortios-simulator/state";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Actual, Outcome, Step } from "../../src/firewall/firewall.ts";
import { FortiGate } from "../../src/firewall/fortigate/adapter.ts";
import { fortiGateNames } from "../../src/firewall/fortigate/naming.ts";
import {
  queryString,
  TransportError,
  type DeviceTransport,
  type TransportRequest,
  type TransportResponse,
} from "../../src/firewall/fortigate/transport.ts";

/** All lines that the simulator knows, the oldest first. */
export const PROFILES = ["6.2", "6.4", "7.0", "7.2", "7.4", "7.6"];

/** Time that a test can look at: sleeping is over at once and moves it on. */
export class StillClock implements Clock {
  time = 1_700_000_000_000;
  readonly slept: number[] = [];
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    this.slept.push(ms);
    this.time += ms;
    return Promise.resolve();
  }
  timer(): () => void {
    throw new Error("the adapter sets no timers");
  }
}

export const names = fortiGateNames("lab1");
export const never = new AbortController().signal;
export const TIMEOUT_MS = 5000;

/** The simulator in this process, reached through a transport as the adapter reaches a device. */
export class Rig {
  readonly device: Device;
  readonly clock = new StillClock();
  readonly firewall: FortiGate;
  readonly failovers: string[] = [];
  /** Changes an answer on its way. */
  tamper: (request: TransportRequest, response: TransportResponse) => TransportResponse = (_, response) =>
    response;
  token = DEFAULT_TOKEN;

  constructor(options: DeviceOptions = {}, vdom = "root") {
    this.device = new Device(options);
    this.firewall = new FortiGate({
      transport: this.transport,
      vdom,
      timeoutMs: TIMEOUT_MS,
      names,
      clock: this.clock,
      onFailover: (from, to) => this.failovers.push(`${from} to ${to}`),
    });
  }

  get transport(): DeviceTransport {
    return {
      send: (request) =>
        new Promise((resolve, reject) => {
          const { method, path, query, body = "", signal, timeoutMs } = request;
          if (signal.aborted) throw new TransportError("aborted", false, "device: broken off");
          const url = path + queryString(query);
          const headers = { authorization: `Bearer ${this.token}` };
          const wire = { method, url, headers, body, source: "192.0.2.1" };
          const admission = this.device.admit(wire, this.clock.time);
          this.clock.time += Math.min(admission.hold, timeoutMs);
          const answer = this.device.handle(wire, this.clock.time, admission);
          if (answer.kind === "cut") reject(new TransportError("reset", true, "device: connection lost"));
          else if (answer.kind === "hang" || admission.hold > timeoutMs)
            reject(new TransportError("timeout", true, "device: no answer in time"));
          else resolve(this.tamper(request, answer));
        }),
    };
  }

  /** `done changed`, `done`, `retry <reason>[ reread]`, `refused <reason> <blame>` */
  async do(step: StepWithoutReason): Promise<string> {
    return short(await this.apply(step));
  }

  apply(step: StepWithoutReason, signal = never): Promise<Outcome> {
    return this.firewall.apply({ ...step, reason: "test" }, signal);
  }

  /** Steps that have to succeed. */
  async all(...steps: readonly StepWithoutReason[]): Promise<void> {
    for (const step of steps) {
      const outcome = await this.apply(step);
      if (outcome.result !== "done") throw new Error(`${step.kind}: ${outcome.message}`);
    }
  }

  read(...parents: readonly string[]): Promise<Actual> {
    return this.firewall.read(parents, never);
  }

  /** As another administrator, through the API. @returns status and code */
  admin(method: string, path: string, body?: unknown): string {
    const answer = this.device.handle(
      {
        method,
        url: `/api/v2/cmdb/firewall/${path}`,
        headers: { authorization: `Bearer ${DEFAULT_TOKEN}` },
        body: body === undefined ? "" : JSON.stringify(body),
        source: "192.0.2.9",
      },
      this.clock.time,
    );
    if (answer.kind !== "reply") return answer.kind;
    const { error } = JSON.parse(answer.body) as { error?: number };
    return error === undefined ? String(answer.status) : `${String(answer.status)}/${String(error)}`;
  }

  /** Calls that the device got of the adapter since, without reads: `PUT firewall/addrgrp/x`. */
  writes(): string[] {
    return this.calls().filter((call) => !call.startsWith("GET "));
  }

  calls(): string[] {
    return this.device.log
      .entries()
      .filter(({ source }) => source === "192.0.2.1")
      .map(({ method, path }) => `${method} ${path.replace(/^.*?\/v2\/(cmdb\/)?/, "")}`);
  }

  /** Members of a group by name, sorted. */
  members(group: string, family: "ipv4" | "ipv6" = "ipv4"): readonly string[] | undefined {
    return this.device.group("root", group, family)?.members;
  }
}

type Unreasoned<S> = S extends Step ? Omit<S, "reason"> : never;
export type StepWithoutReason = Unreasoned<Step>;

export function short(outcome: Outcome): string {
  switch (outcome.result) {
    case "done":
      return outcome.changed ? "done changed" : "done";
    case "retry":
      return `retry ${outcome.reason}${outcome.reread ? " reread" : ""}`;
    default:
      return `refused ${outcome.reason} ${outcome.blame.join(",")}`;
  }
}

export const childOf = (group: string, cluster = "a", n = 0): string => names.child({ group, cluster, n });
export const WEB = childOf("web");
export const PARENT = "web";

export const createAddress = (address: string): StepWithoutReason => ({
  kind: "create-address",
  name: names.address(address),
  address,
});
export const repairAddress = (address: string): StepWithoutReason => ({
  kind: "repair-address",
  name: names.address(address),
  address,
});
export const deleteAddress = (address: string): StepWithoutReason => ({
  kind: "delete-address",
  name: names.address(address),
  address,
});
export const createChild = (members: readonly string[], family: 4 | 6 = 4): StepWithoutReason => ({
  kind: "create-child",
  child: WEB,
  family,
  cluster: "a",
  group: "web",
  members,
});
export const putChild = (members: readonly string[], family: 4 | 6 = 4): StepWithoutReason => ({
  kind: "put-child",
  child: WEB,
  family,
  members,
  added: [],
  removed: [],
});
export const deleteChild = (family: 4 | 6 = 4): StepWithoutReason => ({
  kind: "delete-child",
  child: WEB,
  family,
});
const link =
  (kind: "create-parent" | "attach-child" | "detach-child") =>
  (family: 4 | 6 = 4, parent = PARENT): StepWithoutReason => ({ kind, parent, family, child: WEB });
export const createParent = link("create-parent");
export const attachChild = link("attach-child");
export const detachChild = link("detach-child");
export const deleteParent = (family: 4 | 6 = 4): StepWithoutReason => ({
  kind: "delete-parent",
  parent: PARENT,
  family,
});
