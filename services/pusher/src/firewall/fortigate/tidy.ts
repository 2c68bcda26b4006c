import type { Family } from "@podgate/shared/contract/address";
import type { Outcome } from "../firewall.ts";
import { done } from "./outcome.ts";
import { removeObject } from "./remove.ts";
import type { Tools, Work } from "./work.ts";
import { addressTable } from "./wire/request.ts";

const FAMILIES: readonly Family[] = [4, 6];

/** Takes away the address that stood for "no member", where one was made. */
export function tidy(tools: Tools): Work {
  const { look, names } = tools;
  const name = names.placeholder;
  const found = async (family: Family): Promise<boolean> => {
    const row = await look.address(name, family);
    return row !== undefined && names.isMarked(row.comment);
  };
  return {
    act: async () => {
      let outcome: Outcome = done(false);
      for (const family of FAMILIES) {
        if (!(await found(family))) continue;
        const isGone = async (): Promise<boolean> => !(await found(family));
        const removed = await removeObject(tools, addressTable(family), name, [name], isGone);
        if (removed.result !== "done") return removed;
        outcome = removed;
      }
      return outcome;
    },
    holds: async () => !(await found(4)) && !(await found(6)),
  };
}
