/** What a REST API administrator may do. */
export type Right = "none" | "read" | "read-write";

/** An administrator profile (`config system accprofile`); `custom` looks at the permission of each part. */
export interface AccProfile {
  readonly fwgrp: Right | "custom";
  readonly "fwgrp-permission"?: Readonly<
    Partial<Record<"policy" | "address" | "service" | "schedule" | "others", Right>>
  >;
  readonly sysgrp: Right | "custom";
  readonly "sysgrp-permission"?: Readonly<Partial<Record<"admin" | "upd" | "cfg" | "mnt", Right>>>;
}

export interface ApiUser {
  readonly name: string;
  readonly token: string;
  readonly profile: AccProfile;
  /** VDOMs in its scope; `*` = all. */
  readonly vdoms: readonly string[] | "*";
  /** Source addresses it may come from; absent = any. */
  readonly trustedHosts?: readonly string[];
}

export const FULL_ACCESS: AccProfile = { fwgrp: "read-write", sysgrp: "read-write" };

/** The smallest profile that can keep address groups. */
export const ADDRESS_ACCESS: AccProfile = {
  fwgrp: "custom",
  "fwgrp-permission": { address: "read-write" },
  sysgrp: "none",
};

/** @param access `fwgrp.address` */
export function rightOf(profile: AccProfile, access: string): Right {
  const [group = "", part = ""] = access.split(".");
  if (group === "any") return "read-write";
  const whole = group === "fwgrp" ? profile.fwgrp : profile.sysgrp;
  if (whole !== "custom") return whole;
  const parts: Readonly<Record<string, Right>> =
    (group === "fwgrp" ? profile["fwgrp-permission"] : profile["sysgrp-permission"]) ?? {};
  return parts[part] ?? "none";
}

export function mayRead(user: ApiUser, access: string): boolean {
  return rightOf(user.profile, access) !== "none";
}

export function mayWrite(user: ApiUser, access: string): boolean {
  return rightOf(user.profile, access) === "read-write";
}

export function inScope(user: ApiUser, vdom: string): boolean {
  return user.vdoms === "*" || user.vdoms.includes(vdom);
}
