import type { Field, Row } from "./field.ts";
import type { LimitName } from "./limits.ts";
import type { Profile } from "./profile.ts";

/** A CMDB table: `/cmdb/<path>/<name>`. */
export interface Table {
  readonly path: string;
  readonly name: string;
  /** Absent for a singleton (`system/global`). */
  readonly mkey?: string;
  readonly mkeyType?: "string" | "integer";
  readonly fields: readonly Field[];
  readonly help: string;
  /** What a profile must grant, as `fwgrp.address`; the first part is the schema's `access_group`. */
  readonly access: string;
  readonly qType: number;
  readonly limit?: LimitName;
  readonly since?: string;
  /** Tables with which it shares its names: an address and a group cannot be called the same. */
  readonly namesake?: readonly string[];
  /** What the field types cannot say. @throws Refusal */
  check?(row: Row, profile: Profile): void;
  /** One configuration for the device, not one per VDOM. */
  readonly global?: true;
  readonly readOnly?: true;
}

/** `firewall.address` */
export const tableId = (table: { path: string; name: string }): string => `${table.path}.${table.name}`;
