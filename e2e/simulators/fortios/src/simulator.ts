import { writeFile } from "node:fs/promises";
import type { ApiUser } from "./access.ts";
import { makeCertificates } from "./certificate.ts";
import type { Configuration } from "./configuration.ts";
import { addVdom, checkpoint, edit, failover, reboot, removeVdom, type Edit } from "./console.ts";
import type { Outcome } from "./call.ts";
import { controlHandler } from "./control.ts";
import { Device } from "./device.ts";
import { DEFAULT_TOKEN, type DeviceOptions } from "./state.ts";
import { readFlash, writeFlash } from "./flash.ts";
import type { LogEntry, LogFilter } from "./request-log.ts";
import { deviceHandler, listen } from "./server.ts";

export interface SimulatorOptions extends DeviceOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** 0 (default) = any free one. */
  readonly port?: number;
  readonly controlPort?: number;
  /** Plain HTTP instead of HTTPS. */
  readonly plain?: boolean;
  /** Where to write the authority's certificate (PEM). */
  readonly caFile?: string;
  /** Names and addresses in the certificate besides those of loopback and of `host`. */
  readonly certificateHosts?: readonly string[];
  /** File that keeps the configuration over a restart: read at the start, written with each change. */
  readonly flash?: string;
  /** Shorthand for one user with all rights. */
  readonly token?: string;
}

/** A device behind its web server, and the ways to look at it and to break it. */
export interface Simulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly port: number;
  readonly controlPort: number;
  /** PEM of the authority to trust, of the present certificate; undefined with plain HTTP. */
  readonly ca: string | undefined;
  readonly caFile: string | undefined;
  /** Token of the first user. */
  readonly token: string;
  readonly device: Device;
  readonly log: (filter?: LogFilter) => LogEntry[];
  /** An administrator's edit at the console. */
  readonly edit: (change: Edit) => Outcome;
  readonly failover: (serial?: string) => string;
  /** Marks what a reboot goes back to (at first: the device as started). */
  readonly save: () => void;
  /** Loses what was not saved; nobody answers for `downFor` milliseconds. */
  readonly reboot: (downFor?: number) => void;
  /** A VDOM as it comes from the factory. */
  readonly addVdom: (name: string) => void;
  /** With all it holds. */
  readonly removeVdom: (name: string) => void;
  /**
   * Another certificate, of another authority; open connections end. `caFile` stays as it is: who trusts the new one
   * is not the device's business.
   *
   * @returns PEM of the authority; undefined with plain HTTP
   */
  readonly renewCertificate: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const users: readonly ApiUser[] = options.users ?? [
    {
      name: "api",
      token: options.token ?? DEFAULT_TOKEN,
      profile: { fwgrp: "read-write", sysgrp: "read-write" },
      vdoms: "*",
    },
  ];
  const device = new Device({ ...options, users });
  const { flash } = options;
  const keep = (): void => {
    if (flash !== undefined) writeFlash(device, flash);
  };
  if (flash !== undefined) readFlash(device, flash);
  device.subscribe(({ changed }) => {
    if (changed) keep();
  });
  const host = options.host ?? "127.0.0.1";
  const hosts = [
    ...new Set([
      "localhost",
      "127.0.0.1",
      ...(host === "0.0.0.0" ? [] : [host]),
      ...(options.certificateHosts ?? []),
    ]),
  ];
  let tls = options.plain === true ? undefined : await makeCertificates(hosts, Date.now());
  if (tls !== undefined && options.caFile !== undefined) await writeFile(options.caFile, tls.ca);
  let saved: Configuration = checkpoint(device);
  const handle = {
    device,
    edit: (change: Edit) => {
      const outcome = edit(device, change, Date.now());
      keep();
      return outcome;
    },
    failover: (serial?: string) => failover(device, serial),
    save: () => {
      saved = checkpoint(device);
    },
    reboot: (downFor = 0) => {
      reboot(device, saved, Date.now(), downFor);
      keep();
    },
    addVdom: (name: string) => addVdom(device, name, Date.now()),
    removeVdom: (name: string) => removeVdom(device, name, Date.now()),
    renewCertificate: async () => {
      if (tls === undefined) return undefined;
      tls = await makeCertificates(hosts, Date.now());
      front.renew(tls);
      return tls.ca;
    },
    log: (filter?: LogFilter) => device.log.entries(filter),
  };
  const front = await listen(deviceHandler(device), host, options.port ?? 0, tls);
  const control = await listen(controlHandler(handle), host, options.controlPort ?? 0);
  const shown = host === "0.0.0.0" ? "127.0.0.1" : host;
  return {
    ...handle,
    url: `${tls === undefined ? "http" : "https"}://${shown}:${String(front.port)}`,
    controlUrl: `http://${shown}:${String(control.port)}`,
    port: front.port,
    controlPort: control.port,
    get ca() {
      return tls?.ca;
    },
    caFile: tls === undefined ? undefined : options.caFile,
    token: users[0]?.token ?? "",
    close: async () => {
      await Promise.all([front.close(), control.close()]);
    },
  };
}
