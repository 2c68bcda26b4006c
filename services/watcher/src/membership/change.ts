import type { Owner, RemoveCause } from "@podgate/shared/contract/event";

/**
 * One change of the membership, before it becomes an event with an epoch. An `add` of what is a member already
 * tells its owners anew.
 */
export type Change = {
  readonly group: string;
  readonly address: string;
  /** At most OWNERS_SHOWN; after the change. Of a remove: the last owners there were. */
  readonly owners: readonly Owner[];
  readonly ownerCount: number;
  readonly resourceVersion: string;
} & (
  | { readonly op: "add" }
  | {
      readonly op: "remove";
      readonly cause: RemoveCause;
      /** It is no member since an edit: this is why it would be none by now without it. */
      readonly again?: true;
    }
);
