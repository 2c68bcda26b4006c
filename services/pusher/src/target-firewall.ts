import { hash } from "node:crypto";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { TargetConfiguration } from "./configuration.ts";
import { FortiGate } from "./firewall/fortigate/adapter.ts";
import { gotTransport } from "./firewall/fortigate/got-transport.ts";
import { fortiGateNames, isParentName, type Names } from "./firewall/fortigate/naming.ts";
import { TransportError, type DeviceTransport } from "./firewall/fortigate/transport.ts";
import type { ObjectNames } from "./plan/object-names.ts";
import { certificatesIn, FileFault, tokenIn } from "./reconcile/secret-file.ts";
import type { TargetFirewall } from "./reconcile/targets.ts";

export type PusherNames = Names & ObjectNames;

export const namesOf = (install: string): PusherNames => ({ ...fortiGateNames(install), isParentName });

export interface TargetTransport extends DeviceTransport {
  /** Are token and CA there? @throws FileFault */
  ready(): void;
  /** The token file holds another token than the last request carried. */
  hasNewToken(): boolean;
  close(): void;
}

/** HTTPS to a target's device. Token and CA are read anew for each request. */
export function targetTransport({ url, tokenFile, caFile }: TargetConfiguration): TargetTransport {
  /** Of the token that was sent last. */
  let sent: string | undefined;
  const token = (): string => tokenIn(tokenFile);
  const ca = (): string | undefined => (caFile === undefined ? undefined : certificatesIn(caFile));
  // The configuration takes plain HTTP for a loopback address only.
  const transport = gotTransport({
    url,
    token: () => {
      const now = token();
      sent = digestOf(now);
      return now;
    },
    ca,
    allowPlainHttp: true,
  });
  return {
    send: (request) => transport.send(request),
    close: () => transport.close(),
    ready: () => {
      token();
      ca();
    },
    hasNewToken: () => {
      try {
        return sent !== undefined && sent !== digestOf(token());
      } catch (error) {
        if (error instanceof FileFault) return false;
        throw error;
      }
    },
  };
}

/** A token stays in memory no longer than its request. */
const digestOf = (token: string): string => hash("sha256", token);

/** The adapter of one target. */
export function targetFirewall(
  target: TargetConfiguration,
  transport: TargetTransport,
  names: PusherNames,
  clock: Clock,
  onFailover?: () => void,
  mayCall: () => boolean = () => true,
): TargetFirewall {
  const firewall = new FortiGate({
    transport: fenced(transport, mayCall),
    names,
    clock,
    vdom: target.vdom,
    timeoutMs: target.timeoutSeconds * 1000,
    onFailover: onFailover && (() => onFailover()),
  });
  return {
    firewall,
    ready: () => transport.ready(),
    hasNewToken: () => transport.hasNewToken(),
    close: () => transport.close(),
  };
}

/**
 * Nothing leaves while it may not. Asked before each request, not only at a step's beginning: a process that was
 * paused in the middle of a step wakes up there, before any timer tells it that its lease is over.
 */
function fenced(transport: DeviceTransport, may: () => boolean): DeviceTransport {
  return {
    async send(request) {
      if (!may()) throw new TransportError("aborted", false, "the device is another pusher's now");
      return transport.send({ ...request, may });
    },
  };
}
