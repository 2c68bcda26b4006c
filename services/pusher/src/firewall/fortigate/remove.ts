import type { Outcome } from "../firewall.ts";
import { done, refusalOf, refused } from "./outcome.ts";
import { send, type Tools } from "./work.ts";
import { classify } from "./wire/refusal.ts";
import { one, type Table } from "./wire/request.ts";

/**
 * Deletes an object that was just seen to be ours. Where somebody uses it, it stays, and who that is gets said:
 * through him it outlives what it stood for.
 */
export async function removeObject(
  tools: Tools,
  table: Table,
  name: string,
  blame: readonly string[],
  isGone: () => Promise<boolean>,
): Promise<Outcome> {
  const reply = await send(tools, one("DELETE", table, name));
  if (reply.ok) return done(true);
  const kind = classify(reply);
  if (kind === "missing") return done(false);
  if (kind === "in-use") {
    const users = await tools.look.users(table, name);
    const message = `${name} stays: it is in use${users === undefined ? "" : ` by ${users}`}`;
    return refused("in-use", message, blame);
  }
  if ((kind === "reference" || kind === "dependency") && (await isGone())) return done(false);
  return refusalOf(reply, `delete ${name}`, blame, tools.client.vdom);
}
