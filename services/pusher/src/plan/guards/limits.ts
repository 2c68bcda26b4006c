import type { Family } from "@podgate/shared/contract/address";

/** Of one family; 0 = no limit stated. */
interface Table {
  readonly has: number;
  readonly most: number;
}

/**
 * Holds new objects back before the device refuses them. What others keep in the table is not known, so the device may
 * be full earlier; then its refusal says so.
 *
 * @returns why nothing is made; undefined = there is room
 */
export function limitsGuard(
  what: "address" | "group",
  family: Family,
  { has, most }: Table,
): string | undefined {
  if (most === 0 || has < most) return undefined;
  return `the device takes ${most} IPv${family} ${what} objects, and Podgate alone has ${has}`;
}
