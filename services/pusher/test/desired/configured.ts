import { configurationSchema, type Configuration } from "../../src/configuration.ts";
import { fortiGateNames, isParentName } from "../../src/firewall/fortigate/naming.ts";
import type { ObjectNames } from "../../src/plan/object-names.ts";

export type Route = Partial<Configuration["routes"][number]> &
  Pick<Configuration["routes"][number], "targets" | "clusters" | "groups">;

const names = fortiGateNames("t");
export const NAMES: ObjectNames = {
  address: (address) => names.address(address),
  child: (key) => names.child(key),
  isReserved: (name) => names.isReserved(name),
  isParentName,
};

/** Clusters a, b and c, targets fw and fw2, and these routes. */
export function configured(
  routes: readonly Route[],
  clusters: Readonly<Record<string, Partial<Configuration["clusters"][number]>>> = {},
): Configuration {
  return configurationSchema.parse({
    install: "t",
    nats: { servers: ["nats://127.0.0.1:4222"] },
    clusters: ["a", "b", "c"].map((name) => Object.assign({ name }, clusters[name])),
    targets: ["fw", "fw2"].map((name) => ({ name, url: `https://${name}.test`, tokenFile: "/token" })),
    routes,
  });
}
