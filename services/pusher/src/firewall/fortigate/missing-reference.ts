import type { Family } from "@podgate/shared/contract/address";
import type { Outcome } from "../firewall.ts";
import { again, explained, outcomeOf, refused } from "./outcome.ts";
import { ownAddresses } from "./read.ts";
import type { Tools } from "./work.ts";
import type { Reply } from "./wire/envelope.ts";
import { classify, refusedValue } from "./wire/refusal.ts";

interface Wanted {
  readonly what: string;
  readonly group: string;
  readonly family: Family;
  /** Addresses. */
  readonly members: readonly string[];
}

/** As many are named in a message. */
const MOST_NAMES = 5;

/**
 * A list of members was refused with −3 or −651, FortiOS' words for "does not exist" as well as for "won't take it"
 * (hfortix-core's table of codes), or with a 424 without words: only reading tells which. What is missing is made
 * anew by the next plan; what is there and still not taken is parked.
 */
export async function settleReference(tools: Tools, reply: Reply, wanted: Wanted): Promise<Outcome> {
  const { client, look, names } = tools;
  const { what, group, family, members } = wanted;
  const message = `${what}: ${explained(reply, client.vdom)}`;
  const named = refusedValue(reply);
  const address = named === undefined ? undefined : names.addressOf(named);
  if (named !== undefined && address !== undefined && members.includes(address)) {
    return (await look.address(named, family)) === undefined
      ? again("missing-reference", `${what}: ${named} is missing`, true)
      : refused("invalid", message, [address]);
  }
  // It says what is wrong, and that it is not something missing.
  if (classify(reply) === "invalid") return outcomeOf(reply, what, [group], client.vdom);
  const rows = await ownAddresses(client, names, family, tools.signal);
  const there = new Set(rows.map(({ name }) => name));
  const missing = members.map((member) => names.address(member)).filter((name) => !there.has(name));
  if (missing.length > 0) {
    const more = missing.length > MOST_NAMES ? ` and ${String(missing.length - MOST_NAMES)} more` : "";
    const list = missing.slice(0, MOST_NAMES).join(", ");
    return again("missing-reference", `${what}: missing: ${list}${more}`, true);
  }
  return refused("invalid", message, [group]);
}
