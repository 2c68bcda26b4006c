import type { Device } from "@podgate/fortios-simulator/device";
import type { Answer as DeviceAnswer } from "@podgate/fortios-simulator/request";
import {
  queryString,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from "@podgate/pusher/firewall/fortigate/transport";
import type { TargetTransport } from "@podgate/pusher/target-firewall";
import { EPOCH, type Process } from "../process.ts";
import type { Timeline } from "../timeline.ts";

/** A device on the network. */
export interface DeviceSite {
  readonly device: Device;
  /** Nobody answers: no route to it. */
  isAway: boolean;
  /** Its certificate is not the one that is trusted. Told of each call that ends there; undefined = it is. */
  distrusted: (() => void) | undefined;
  /** The configuration lock is free again: milliseconds of the timeline. */
  lockedUntil: number;
}

export interface DevicePortOptions {
  readonly process: Process;
  readonly timeline: Timeline;
  readonly site: DeviceSite;
  readonly token: () => string;
  /** IP address of the process' host. */
  readonly source: string;
  readonly delay: () => number;
}

/** A process' way to one device. */
export class DevicePort implements TargetTransport {
  readonly #options: DevicePortOptions;
  /** The token of the last request. */
  #sent: string | undefined;

  constructor(options: DevicePortOptions) {
    this.#options = options;
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    const { process, timeline, site, delay } = this.#options;
    const { method, path, timeoutMs, signal } = request;
    return process.call<TransportResponse>(`device.${method} ${tableOf(path)}`, ({ resolve, reject }) => {
      let isOver = false;
      const over = (run: () => void): void => {
        if (isOver) return;
        isOver = true;
        cancel();
        signal.removeEventListener("abort", aborted);
        run();
      };
      const fail = (kind: TransportError["kind"], maybeSent: boolean, words: string): void =>
        over(() => reject(new TransportError(kind, maybeSent, words)));
      const aborted = (): void => fail("aborted", true, "call was broken off");
      const cancel = timeline.after(timeoutMs, () => fail("timeout", true, "no answer in time"));
      signal.addEventListener("abort", aborted, { once: true });
      if (signal.aborted) return aborted();
      timeline.after(delay(), () => {
        if (site.isAway) return fail("refused", false, "no connection");
        if (site.distrusted !== undefined) {
          site.distrusted();
          return fail("tls", false, "another certificate than the one that is trusted");
        }
        this.#perform(request, (answer) => {
          if (answer.kind === "cut") fail("reset", true, "connection lost");
          if (answer.kind === "reply") over(() => resolve(answer));
        });
      });
    });
  }

  ready(): void {
    // Its files are always there.
  }

  hasNewToken(): boolean {
    return this.#sent !== undefined && this.#sent !== this.#options.token();
  }

  close(): void {
    // No connection outlives a call.
  }

  /** One write at a time: there is one configuration lock. */
  #perform(
    { method, path, query, body, headers }: TransportRequest,
    answered: (answer: DeviceAnswer) => void,
  ): void {
    const { timeline, site, token, source, delay } = this.#options;
    const { device } = site;
    this.#sent = token();
    const request = {
      method,
      url: path + queryString(query),
      headers: { ...headers, authorization: `Bearer ${this.#sent}` },
      body: body ?? "",
      source,
    };
    const admission = device.admit(request, EPOCH + timeline.now);
    const begin = admission.locks ? Math.max(timeline.now, site.lockedUntil) : timeline.now;
    const end = begin + admission.hold;
    if (admission.locks) site.lockedUntil = end;
    timeline.after(end - timeline.now, () => {
      const answer = device.handle(request, EPOCH + timeline.now, admission);
      timeline.after(delay(), () => answered(answer));
    });
  }
}

/** `addrgrp`, `addrgrp/member`: what a call is about, without whose. */
function tableOf(path: string): string {
  const [, , , , , table = "", , child] = path.split("/");
  return child === undefined ? table : `${table}/${child}`;
}
