import type { ParentNames } from "../desired/routing.ts";

/** The names a firewall adapter gives to objects, as far as planning needs them (fortigate/naming.ts fits). */
export interface ObjectNames extends ParentNames {
  address(address: string): string;
  child(key: { readonly group: string; readonly cluster: string; readonly n: number }): string;
}
