import type { Clock } from "@podgate/shared/runtime/clock";
import type { Outcome } from "../firewall.ts";
import type { Client, Written } from "./client.ts";
import type { Look } from "./look.ts";
import type { Names } from "./naming.ts";
import type { EmptyGroups } from "./empty-groups.ts";
import type { Reply } from "./wire/envelope.ts";
import type { WireRequest } from "./wire/request.ts";

/** What doing a step needs. */
export interface Tools {
  readonly client: Client;
  readonly look: Look;
  readonly names: Names;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly emptyGroups: EmptyGroups;
}

/** How one step is done. Throws TransportError, LostReply and FirewallError. */
export interface Work {
  act(): Promise<Outcome>;
  /** Does the device hold what the step wants? Asked when no answer came. */
  holds(): Promise<boolean>;
}

/** No answer says whether the call was done. */
export class LostReply extends Error {
  override name = "LostReply";
  override readonly cause: Extract<Written, { kind: "lost" }>["error"];

  constructor(cause: LostReply["cause"]) {
    super("no answer that tells");
    this.cause = cause;
  }
}

/** Sends a call that changes the device. @throws TransportError, LostReply */
export async function send({ client, signal }: Tools, request: WireRequest): Promise<Reply> {
  const written = await client.write(request, signal);
  if (written.kind === "lost") throw new LostReply(written.error);
  return written.reply;
}

/**
 * Right after many were made, a GET of an object may say 404 although it is there (FortiOS 7.4.8;
 * terraform-provider-fortios issue 388).
 */
const SECOND_LOOK_MS = 500;

/** @returns what `look` finds, the second time at the latest */
export async function lookTwice<T>(
  { clock, signal }: Tools,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await look();
  if (found !== undefined) return found;
  await clock.sleep(SECOND_LOOK_MS, signal);
  return await look();
}
