import { encodeToken } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";
import { z } from "zod";
import { deviceOf, type TargetConfiguration } from "../configuration.ts";
import type { Memory } from "./memory.ts";

/** What a target's place was last known to hold: KV bucket `podgate-pusher`, key `target.<device>.<VDOM>`. */
export const targetRecordSchema = z.object({
  v: z.literal(1),
  /** Name of the target. */
  target: z.string(),
  url: z.string(),
  vdom: z.string(),
  serial: z.string(),
  /** Nothing there carries our mark. */
  isEmpty: z.boolean(),
  /** Milliseconds since 1970 at which it was written. */
  at: z.int().nonnegative(),
});
export type TargetRecord = z.infer<typeof targetRecordSchema>;

export const TARGET_RECORDS = "target.>";

type Place = Pick<TargetConfiguration, "url" | "vdom">;

export const targetRecordKey = ({ url, vdom }: Place): string =>
  `target.${encodeToken(deviceOf(url))}.${encodeToken(vdom)}`;

export interface Holding {
  readonly serial: string;
  readonly isEmpty: boolean;
}

/** @returns whether it is stored */
export function recordTarget(
  { name, url, vdom }: Place & Pick<TargetConfiguration, "name">,
  { serial, isEmpty }: Holding,
  { memory, clock }: { readonly memory: Pick<Memory, "save">; readonly clock: Clock },
): Promise<boolean> {
  const at = Math.round(clock.now());
  const record: TargetRecord = { v: 1, target: name, url, vdom, serial, isEmpty, at };
  return memory.save(targetRecordKey({ url, vdom }), record);
}
