import type { Family } from "@podgate/shared/contract/address";
import { needsPlaceholder } from "./identity.ts";
import { NONE } from "./placeholder.ts";
import { send, type Tools } from "./work.ts";
import type { Reply } from "./wire/envelope.ts";
import { classify, type RefusalClass } from "./wire/refusal.ts";
import { addressTable, create, resource } from "./wire/request.ts";

/** What may stand for "no member", the best first. */
type Filler = "nothing" | "none" | "own";

/** No public source says for sure which codes FortiOS gives for a list of members that it won't take. */
const OTHER_FILLER: ReadonlySet<RefusalClass> = new Set(["invalid", "reference", "dependency", "other"]);

/**
 * How this device takes a group without members: as it is (FortiOS 7.2.0 on), with the predefined address `none`, or,
 * where it refuses that as well, with an address object of ours that matches nothing. What worked is remembered.
 */
export class EmptyGroups {
  #works: Filler | undefined;

  /**
   * Writes an empty group.
   * @param write writes it with these members
   * @returns the last reply
   */
  async write(
    tools: Tools,
    family: Family,
    put: (members: readonly string[]) => Promise<Reply>,
  ): Promise<Reply> {
    let reply: Reply | undefined;
    for (const filler of await this.#candidates(tools)) {
      if (filler === "own") await makePlaceholder(tools, family);
      reply = await put(membersOf(filler, tools));
      if (reply.ok) this.#works = filler;
      if (reply.ok || !OTHER_FILLER.has(classify(reply))) return reply;
    }
    if (reply === undefined) throw new RangeError("no way to write an empty group was tried");
    return reply;
  }

  /** A member that a group may be given, so that it does not become empty. */
  async filler(tools: Tools, family: Family, add: (member: string) => Promise<Reply>): Promise<Reply> {
    const reply = await add(NONE);
    if (reply.ok || !OTHER_FILLER.has(classify(reply))) return reply;
    await makePlaceholder(tools, family);
    return await add(tools.names.placeholder);
  }

  async #candidates({ client, signal }: Tools): Promise<readonly Filler[]> {
    if (client.version === undefined) await client.read(resource("monitor/system/status"), signal);
    const order: readonly Filler[] = needsPlaceholder(client.version ?? "0")
      ? ["none", "own"]
      : ["nothing", "none", "own"];
    return this.#works !== undefined && order.includes(this.#works)
      ? order.slice(order.indexOf(this.#works))
      : order;
  }
}

function membersOf(filler: Filler, { names }: Tools): readonly string[] {
  if (filler === "nothing") return [];
  return [filler === "none" ? NONE : names.placeholder];
}

/** There already is as good; where it can't be made, the group that wants it is refused. */
async function makePlaceholder(tools: Tools, family: Family): Promise<void> {
  const { names } = tools;
  const nothing =
    family === 4
      ? { type: "ipmask", subnet: "0.0.0.0 255.255.255.255" }
      : { type: "ipprefix", ip6: "::/128" };
  const body = { name: names.placeholder, comment: names.comment("holds no address"), ...nothing };
  await send(tools, create(addressTable(family), body));
}
