import { edit } from "@podgate/fortios-simulator/console";
import type { JudgedTarget } from "./oracle/target-judge.ts";
import type { World } from "./world.ts";

/** What is there before the product comes: an administrator's own objects, and policies that use the groups to be. */
export const OFFICE = "198.51.100.7";

/**
 * On every VDOM: an address and a group of the administrator's, a group `web` that he made beforehand with a member of
 * his own, and a policy that uses both.
 *
 * @param own told of each group that holds an address of his
 */
export function buildEstate(
  world: World,
  own: (target: string, group: string, address: string) => void,
): void {
  for (const target of world.targets) {
    furnish(world, target);
    own(target.name, "web", OFFICE);
  }
}

/** The same on one VDOM. */
export function furnish(world: World, { name, device, vdom }: JudgedTarget): void {
  const put = (path: string, body: Readonly<Record<string, unknown>>): void => {
    const { status } = edit(device, { vdom, method: "POST", path: `firewall/${path}`, body }, world.wall);
    if (status !== 200) throw new Error(`${name}: ${path}: ${String(status)}`);
  };
  const office = [{ name: "office" }];
  put("address", { name: "office", subnet: `${OFFICE} 255.255.255.255` });
  put("addrgrp", { name: "office-net", member: office, comment: "second floor" });
  put("addrgrp", { name: "web", member: office, comment: "who may be asked" });
  put("policy", { name: "to-web", srcaddr: [{ name: "office-net" }], dstaddr: [{ name: "web" }] });
}
