import type { Profile } from "../profile.ts";

interface Predefined {
  readonly table: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Built in: neither changed nor deleted. */
  readonly fixed?: true;
}

const v4 = (body: Record<string, unknown>, fixed?: true): Predefined => ({
  table: "firewall.address",
  body,
  ...(fixed === undefined ? {} : { fixed }),
});
const fqdn = (name: string): Predefined => v4({ name, type: "fqdn", fqdn: name });
const group = (name: string, ...members: readonly string[]): Predefined => ({
  table: "firewall.addrgrp",
  body: { name, member: members.map((member) => ({ name: member })) },
});

/** What is in every VDOM of a new device: never "everything in the list is ours". */
export function predefined(profile: Profile): readonly Predefined[] {
  const ems = ["EMS_ALL_UNKNOWN_CLIENTS", "EMS_ALL_UNMANAGEABLE_CLIENTS"];
  return [
    v4({ name: "none", subnet: "0.0.0.0 255.255.255.255" }, true),
    fqdn("login.microsoftonline.com"),
    fqdn("login.microsoft.com"),
    fqdn("login.windows.net"),
    fqdn("gmail.com"),
    v4({ name: "wildcard.google.com", type: "fqdn", fqdn: "*.google.com" }),
    v4({ name: "wildcard.dropbox.com", type: "fqdn", fqdn: "*.dropbox.com" }),
    v4({ name: "all", subnet: "0.0.0.0 0.0.0.0" }, true),
    v4({ name: "FIREWALL_AUTH_PORTAL_ADDRESS", subnet: "0.0.0.0 0.0.0.0" }, true),
    v4(
      { name: "FABRIC_DEVICE", subnet: "0.0.0.0 0.0.0.0", comment: "IPv4 addresses of Fabric Devices." },
      true,
    ),
    v4({
      name: "SSLVPN_TUNNEL_ADDR1",
      type: "iprange",
      "start-ip": "10.212.134.200",
      "end-ip": "10.212.134.210",
    }),
    ...(profile.number >= 70_200
      ? ems.map((name) => v4({ name, type: "dynamic", "sub-type": "ems-tag", "obj-tag": name }))
      : []),
    { table: "firewall.address6", body: { name: "SSLVPN_TUNNEL_IPv6_ADDR1", ip6: "fdff:ffff::/120" } },
    { table: "firewall.address6", body: { name: "all", ip6: "::/0" }, fixed: true },
    { table: "firewall.address6", body: { name: "none", ip6: "::/128" }, fixed: true },
    group("G Suite", "gmail.com", "wildcard.google.com"),
    group("Microsoft Office 365", "login.microsoftonline.com", "login.microsoft.com", "login.windows.net"),
  ];
}
