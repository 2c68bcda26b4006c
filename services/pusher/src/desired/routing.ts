/** What routing needs of the adapter's names (fortigate/naming.ts fits). */
export interface ParentNames {
  /** May a user's group be called so? */
  isParentName(name: string): boolean;
  /** Is the name kept for Podgate's own objects? */
  isReserved(name: string): boolean;
}

export class Routing {}
