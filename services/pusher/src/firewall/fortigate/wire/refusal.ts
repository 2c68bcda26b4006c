import type { Reply } from "./envelope.ts";

/**
 * Why a device did not do what it was asked. `reference`: something named in the call does not exist, or FortiOS's
 * catch-all for a value it will not take: only reading tells. `dependency`: duplicate, missing or invalid, old builds
 * don't say which. `duplicate`: it is there already. `clash`: another kind of object has the name.
 */
export type RefusalClass =
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "busy"
  | "duplicate"
  | "reference"
  | "dependency"
  | "in-use"
  | "full"
  | "clash"
  | "invalid"
  | "other";

/** FortiOS CLI codes, as `exceptions.py` of hfortix-core lists them, and our words for them. */
const CODES: Readonly<Record<number, readonly [RefusalClass, string]>> = {
  [-1]: ["invalid", "invalid length of value"],
  [-2]: ["invalid", "index out of range"],
  [-3]: ["reference", "entry not found"],
  [-4]: ["full", "maximum number of entries reached"],
  [-5]: ["duplicate", "duplicate entry"],
  [-6]: ["busy", "memory allocation failed"],
  [-7]: ["other", "conflicts with system settings"],
  [-8]: ["invalid", "invalid IP address"],
  [-9]: ["invalid", "invalid netmask"],
  [-14]: ["forbidden", "permission denied"],
  [-15]: ["duplicate", "duplicate entry in a table"],
  [-16]: ["invalid", "blank address"],
  [-17]: ["invalid", "incorrect address"],
  [-20]: ["invalid", "blank or incorrect address"],
  [-23]: ["in-use", "entry is used"],
  [-37]: ["forbidden", "permission denied"],
  [-45]: ["invalid", "invalid IP range"],
  [-50]: ["invalid", "invalid format"],
  [-54]: ["invalid", "IP address is in the same subnet as another one"],
  [-56]: ["invalid", "empty values are not allowed"],
  [-61]: ["invalid", "input not as expected"],
  [-72]: ["invalid", "too many characters"],
  [-160]: ["other", "generic failure"],
  [-163]: ["clash", "name is the name of another kind of object"],
  [-164]: ["clash", "name is the name of another kind of object"],
  [-165]: ["clash", "name is the name of another kind of object"],
  [-166]: ["invalid", "name too long"],
  [-173]: ["invalid", "characters that are not allowed"],
  [-311]: ["clash", "name is the name of another kind of object"],
  [-312]: ["clash", "name is the name of another kind of object"],
  [-360]: ["busy", "command timed out"],
  [-361]: ["busy", "command could not be queued"],
  [-515]: ["invalid", "reserved word as a name"],
  [-560]: ["invalid", "reserved word as a name"],
  [-580]: ["full", "limit of the VDOM reached"],
  [-650]: ["invalid", "integer out of range"],
  [-651]: ["reference", "value is invalid or names something that does not exist"],
  [-10_000]: ["invalid", "invalid action"],
  [-10_001]: ["invalid", "request is missing"],
  [-10_002]: ["invalid", "invalid request"],
};

/** Of a reply that is not ok. The status decides where it is sure; else the code; else what is left of the status. */
export function classify(reply: Reply): RefusalClass {
  const { status, code, isPage } = reply;
  if (status === 401) return "unauthorized";
  if (status === 429) return "busy";
  const byCode = code === undefined ? undefined : CODES[code]?.[0];
  if (status === 403) return "forbidden";
  // A DELETE of what is not there may carry -3 as well; the status says which of the two is missing. A page is no
  // word of the REST API: something in between, or a path that this firmware does not know.
  if (status === 404) return isPage ? "other" : "missing";
  if (byCode !== undefined) return byCode;
  if (status === 424) return "dependency";
  if (code !== undefined) return status === 400 ? "invalid" : "other";
  // 200 with a page, or with half of its JSON, is a web server in trouble.
  if (isPage && status === 200) return "busy";
  if (status >= 500) return "busy";
  return status === 400 ? "invalid" : "other";
}

/** The device may have done it nevertheless: the answer is not its own word. */
export function mayBeDone({ status, isPage, code }: Reply): boolean {
  return code === undefined && (isPage ? status === 200 || status >= 500 : status >= 500);
}

/** The name that a refused value had, where the CLI says so. */
export function refusedValue({ cli }: Reply): string | undefined {
  return /value parse error before '([^']+)'/.exec(cli ?? "")?.[1];
}

const STATUSES: Readonly<Record<number, string>> = {
  200: "an answer that is no JSON, or only a part of it",
  302: "a redirect, which is not followed: is the URL that of the device itself?",
  400: "the request can't be processed",
  401: "the token is not accepted: check it, and that this host is a trusted host of the API user",
  403: "the API user lacks a permission, or the VDOM is not in its scope",
  404: "no such object",
  405: "method not allowed",
  413: "the request is too large",
  424: "duplicate, missing or invalid attribute",
  429: "this host is blocked, or the device is overloaded",
};

/** One line about a refusal, for logs and statuses. */
export function explain(reply: Reply): string {
  const { status, code, cli } = reply;
  if (code !== undefined) {
    const words = CODES[code]?.[1] ?? cli ?? "unknown code";
    const who = cli === undefined || cli === words ? "" : `: ${cli}`;
    return `HTTP ${String(status)}, code ${String(code)} (${words}${who})`;
  }
  return `HTTP ${String(status)} (${STATUSES[status] ?? cli ?? "no further words"})`;
}
