import { readFileSync } from "node:fs";
import { parseCommand, type Parsed } from "../../../../scripts/options.ts";
import { ADDRESS_ACCESS, FULL_ACCESS, type AccProfile, type ApiUser } from "./access.ts";
import { LIMIT_NAMES, MODELS, type LimitName, type Limits, type ModelName } from "./limits.ts";
import { PROFILE_LINES, profileOf } from "./profile.ts";
import type { SimulatorOptions } from "./simulator.ts";
import { DEFAULT_TOKEN } from "./state.ts";
import { switchFault, type Switches } from "./switches.ts";

export const USAGE = `FortiOS simulator: a FortiGate's REST API for addresses, address groups and what belongs to them.

npm run simulator:fortios -- [options]

  --profile <release>       ${PROFILE_LINES.join(" | ")}, or a patch of one as 7.4.1 (default 7.4)
  --model <model>           limits of ${Object.keys(MODELS).join(" | ")} (default vm)
  --limit <name>=<number>   another limit; names: ${LIMIT_NAMES.join(", ")}; 0 = none (repeatable)
  --vdom <name>             a VDOM; the first is the management VDOM (repeatable; default root)
  --token <spec>            an API user: token[,name=…][,profile=full|address|read|none][,vdom=a+b|*]
                            (@file = the token in that file; repeatable; default ${DEFAULT_TOKEN}, full, *)
  --switch <name>=<value>   position of a switch, see the README (repeatable)
  --port <number>           of the API (default 0: any free one)
  --control-port <number>   of the control endpoint (default 0)
  --host <address>          to listen on (default 127.0.0.1)
  --plain                   HTTP instead of HTTPS
  --certificate-host <name>  a name or address in its certificate besides loopback's (repeatable)
  --flash <file>            keeps the configuration there: read at the start, written with each change
  --ca-out <file>           write the certificate of the authority there (PEM)
  --latency <ms>            of each write (default 0); writes are done one at a time
  --read-latency <ms>       of each read (default 0)
  --latency-per-thousand <ms>  on top for each 1,000 rows of the table written (default 0)
  --serial <serial>         (default FGVM010000000001)
  --hostname <name>         (default FGT-SIM)
  --verbose                 each request as a line on stderr
  --help

When it is ready it prints one line of JSON: url, controlUrl, token, caFile, profile, serial, pid.`;

const RIGHTS: Readonly<Record<string, AccProfile>> = {
  full: FULL_ACCESS,
  address: ADDRESS_ACCESS,
  read: { fwgrp: "read", sysgrp: "read" },
  none: { fwgrp: "none", sysgrp: "none" },
};

export interface Asked {
  readonly simulator: SimulatorOptions;
  readonly verbose: boolean;
  /** Its token came from a file and is not to be printed. */
  readonly hushed: boolean;
}

const TEXT = { type: "string" } as const;
const MANY = { type: "string", multiple: true } as const;
const YES = { type: "boolean", default: false } as const;
const OPTIONS = {
  profile: TEXT,
  model: TEXT,
  limit: MANY,
  vdom: MANY,
  token: MANY,
  switch: MANY,
  port: TEXT,
  "control-port": TEXT,
  host: TEXT,
  plain: YES,
  "ca-out": TEXT,
  "certificate-host": MANY,
  flash: TEXT,
  latency: TEXT,
  "read-latency": TEXT,
  "latency-per-thousand": TEXT,
  serial: TEXT,
  hostname: TEXT,
  verbose: YES,
};

export function parseOptions(args: readonly string[]): Parsed<Asked> {
  return parseCommand(args, OPTIONS, ({ values, faults }) => {
    const number = (
      name: "port" | "control-port" | "latency" | "read-latency" | "latency-per-thousand",
    ): number => {
      const text = values[name] ?? "0";
      const most = name.endsWith("port") ? 65_535 : 600_000;
      if (!/^\d+(\.\d+)?$/.test(text) || Number(text) > most)
        faults.push(`--${name} ${text}: give a number from 0 to ${String(most)}`);
      return Number(text);
    };
    const simulator: SimulatorOptions = {
      profile: release(values.profile ?? "7.4", faults),
      model: model(values.model ?? "vm", faults),
      limits: limits(values.limit ?? [], faults),
      vdoms: values.vdom ?? ["root"],
      users: (values.token ?? [DEFAULT_TOKEN]).map((spec, index) => user(spec, index, faults)),
      switches: switches(values.switch ?? [], faults),
      port: number("port"),
      controlPort: number("control-port"),
      host: values.host ?? "127.0.0.1",
      plain: values.plain,
      latency: {
        write: number("latency"),
        read: number("read-latency"),
        writePerThousandRows: number("latency-per-thousand"),
      },
      certificateHosts: values["certificate-host"] ?? [],
      ...(values.flash === undefined ? {} : { flash: values.flash }),
      ...(values["ca-out"] === undefined ? {} : { caFile: values["ca-out"] }),
      ...(values.serial === undefined ? {} : { serial: values.serial }),
      ...(values.hostname === undefined ? {} : { hostname: values.hostname }),
    };
    const hushed = values.token?.[0]?.startsWith("@") === true;
    return { simulator, verbose: values.verbose, hushed };
  });
}

function release(name: string, faults: string[]): string {
  try {
    profileOf(name);
  } catch (error) {
    faults.push(`--profile: ${(error as Error).message}`);
  }
  return name;
}

function model(name: string, faults: string[]): ModelName {
  if (!Object.hasOwn(MODELS, name))
    faults.push(`--model ${name}: use one of ${Object.keys(MODELS).join(", ")}`);
  return name as ModelName;
}

function limits(items: readonly string[], faults: string[]): Partial<Limits> {
  const result: Partial<Record<LimitName, number>> = {};
  for (const item of items) {
    const [name = "", value = ""] = item.split("=");
    const known = LIMIT_NAMES.find((limit) => limit === name);
    if (known === undefined) faults.push(`--limit ${item}: use one of ${LIMIT_NAMES.join(", ")}`);
    else if (!/^\d+$/.test(value)) faults.push(`--limit ${item}: give a whole number`);
    else result[known] = Number(value);
  }
  return result;
}

function user(spec: string, index: number, faults: string[]): ApiUser {
  const [first = "", ...rest] = spec.split(",");
  const token = first.startsWith("@") ? tokenIn(first.slice(1), faults) : first;
  const given = new Map(rest.map((part) => [part.split("=")[0] ?? "", part.slice(part.indexOf("=") + 1)]));
  const rights = RIGHTS[given.get("profile") ?? "full"];
  const isKnown = [...given.keys()].every((key) => ["name", "profile", "vdom"].includes(key));
  // The token itself stays out of the message.
  if (token === "") faults.push(`--token number ${String(index + 1)}: give the token first`);
  if (!isKnown)
    faults.push(`--token number ${String(index + 1)}: after the token come name=, profile= and vdom=`);
  if (rights === undefined)
    faults.push(`--token number ${String(index + 1)}: profile is one of ${Object.keys(RIGHTS).join(", ")}`);
  const vdoms = given.get("vdom") ?? "*";
  return {
    name: given.get("name") ?? (index === 0 ? "api" : `api${String(index + 1)}`),
    token,
    profile: rights ?? FULL_ACCESS,
    vdoms: vdoms === "*" ? "*" : vdoms.split("+"),
  };
}

function switches(items: readonly string[], faults: string[]): Partial<Switches> {
  const result: Record<string, unknown> = {};
  for (const item of items) {
    const [name = "", text = ""] = item.split("=");
    const value = readable(text);
    const fault = switchFault(name, value);
    if (fault === undefined) result[name] = value;
    else faults.push(`--switch ${item}: ${fault.replace(/^switch [^:]*: /, "")}`);
  }
  return result;
}

function tokenIn(file: string, faults: string[]): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    faults.push(`--token @${file}: ${(error as Error).message}`);
    return "unread";
  }
}

/** Numbers, true, false and null as such; else text. */
function readable(value: string): unknown {
  return /^(-?\d+|true|false|null)$/.test(value) ? (JSON.parse(value) as unknown) : value;
}
