import { backoff } from "@podgate/shared/runtime/backoff";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import { deviceOf, type Configuration, type TargetConfiguration } from "../configuration.ts";

import type { Actual, Firewall } from "../firewall/firewall.ts";
import type { ObjectNames } from "../plan/object-names.ts";
import { TargetPlan } from "../plan/target-plan.ts";
import { TokenBucket } from "./budget.ts";
import { Claims, type Foreign, type Found } from "./claims.ts";
import type { Clusters } from "./clusters.ts";
import { Device } from "./device.ts";
import type { Approval } from "./kept-held.ts";
import { Lockout } from "./lockout.ts";
import type { Memory } from "./memory.ts";
import type { Observe } from "./observe.ts";
import { TargetWork } from "./target-work.ts";

export interface TargetFirewall {
  readonly firewall: Firewall;
  /** Are the files there that it needs? @throws FileFault */
  ready(): void;
  /** The token file holds another token than the last request carried. */
  hasNewToken(): boolean;
  close(): void;
}

export interface TargetsPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly observe: Observe;
  readonly memory: Pick<Memory, "load" | "save">;
  readonly names: ObjectNames;
  /** @param mayCall asked before each request: nothing is sent to a device that is another pusher's */
  readonly makeFirewall: (
    target: TargetConfiguration,
    onFailover: () => void,
    mayCall: () => boolean,
  ) => TargetFirewall;
  /** A person's word about a target; absent: nobody has any, for commands that only look. */
  readonly approvals?: (target: string) => readonly Approval[];
  /** The device is this process's to call; absent: every one is, for commands that only look. */
  readonly holds?: (device: string) => boolean;
  /** What other pushers found behind the targets of their devices; absent: there are none. */
  readonly foreign?: Foreign;
  /** It was found out what is behind a target's URL. */
  readonly found?: (target: string) => void;
  /** What each read found, for commands that show it. */
  readonly onRead?: (target: string, actual: Actual) => void;
}

export interface DeviceTargets {
  readonly device: Device;
  readonly lockout: Lockout;
  readonly works: readonly TargetWork[];
}

export interface Targets {
  readonly devices: readonly DeviceTargets[];
  /** In the order of the configuration. */
  readonly works: readonly TargetWork[];
  /** What was found behind a target's URL. */
  found(target: string): Found | undefined;
  /** Another pusher has it now. */
  release(target: string): void;
  close(): void;
}

const RETRY = { baseMs: 500, capMs: 10_000 };

export const devicesOf = ({ targets }: Configuration): string[] => [
  ...new Set(targets.map(({ url }) => deviceOf(url))),
];

/** Every configured target with its plan, by device. Sends nothing. */
export function openTargets(configuration: Configuration, clusters: Clusters, ports: TargetsPorts): Targets {
  const { clock, random, logger } = ports;
  const claims = new Claims(
    configuration.targets.map(({ name }) => name),
    ports.foreign,
  );
  const firewalls: TargetFirewall[] = [];
  const works = configuration.targets.map((target) => {
    let work: TargetWork | undefined;
    const onFailover = (): void => {
      claims.release(target.name);
      logger.warn({ target: target.name }, "another unit answers: a failover; it is read anew");
      work?.failedOver();
    };
    const mayCall = (): boolean => ports.holds?.(deviceOf(target.url)) ?? true;
    const opened = ports.makeFirewall(target, onFailover, mayCall);
    firewalls.push(opened);
    const { repair, driftSeconds } = configuration;
    const plan = new TargetPlan({
      target: target.name,
      names: ports.names,
      removals: target.removals,
      repair,
      policyOf: clusters.target(target.name).policyOf,
    });
    const times = { driftMs: driftSeconds * 1000, lateMs: target.timeoutSeconds * 1000 };
    work = new TargetWork({ target, ...times }, plan, {
      ...ports,
      firewall: opened.firewall,
      ready: () => opened.ready(),
      hasNewToken: () => opened.hasNewToken(),
      desired: () => clusters.target(target.name),
      approvals: () => ports.approvals?.(target.name) ?? [],
      remember: (origins) => clusters.remember(origins),
      claim: (identity) => {
        const conflict = claims.claim(target.name, identity);
        ports.found?.(target.name);
        return conflict;
      },
      onRead: (actual) => ports.onRead?.(target.name, actual),
    });
    return work;
  });
  const byDevice = Map.groupBy(configuration.targets, ({ url }) => deviceOf(url));
  const devices = [...byDevice].map(([name, targets]) => {
    const own = works.filter((work) => targets.some((target) => target.name === work.target));
    const lockout = new Lockout({ device: name, memory: ports.memory, clock });
    const budget = new TokenBucket(targets[0] ?? { burst: 1, perSecond: 1 });
    const device = new Device(name, own, {
      clock,
      logger,
      budget,
      lockout,
      backoff: (attempt) => backoff(attempt, RETRY, random),
    });
    return { device, lockout, works: own };
  });
  return {
    devices,
    works,
    found: (target) => claims.of(target),
    release: (target) => claims.release(target),
    close: () => {
      for (const firewall of firewalls) firewall.close();
    },
  };
}
