import type { ActualAddress } from "../firewall.ts";
import type { Names } from "./naming.ts";
import { holdsExactly, type AddressRow } from "./wire/content.ts";

/** Whose an address object of our grammar is. @param address the one its name encodes */
export function standingOf(names: Names, row: AddressRow, address: string): ActualAddress["standing"] {
  const isExact = holdsExactly(row, address);
  if (names.isMarked(row.comment)) return isExact ? "ours" : "drifted";
  return isExact ? "borrowed" : "collision";
}
