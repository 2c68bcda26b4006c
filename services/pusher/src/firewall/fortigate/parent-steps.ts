import type { Outcome, Step } from "../firewall.ts";
import { again, done, outcomeOf, refusalOf, refused } from "./outcome.ts";
import { isPlaceholder } from "./placeholder.ts";
import { removeObject } from "./remove.ts";
import { lookTwice, send, type Tools, type Work } from "./work.ts";
import type { GroupRow } from "./wire/content.ts";
import type { Reply } from "./wire/envelope.ts";
import { classify, type RefusalClass } from "./wire/refusal.ts";
import { addMember, create, groupTable, memberRows, removeMember } from "./wire/request.ts";

type CreateParent = Extract<Step, { kind: "create-parent" }>;
type Link = Extract<Step, { kind: "attach-child" | "detach-child" }>;
type DeleteParent = Extract<Step, { kind: "delete-parent" }>;

/** Answers that leave open how things stand, because no public source says for sure which codes FortiOS gives. */
const OPEN: ReadonlySet<RefusalClass> = new Set([
  "missing",
  "duplicate",
  "reference",
  "dependency",
  "invalid",
  "other",
]);

/** A group of that name that is there already is the admin's, and gets the child. */
export function createParent(tools: Tools, step: CreateParent): Work {
  const { look, names, client } = tools;
  const { parent, child, family } = step;
  return {
    act: async () => {
      const body = { name: parent, comment: names.comment(), member: memberRows([child]) };
      const reply = await send(tools, create(groupTable(family), body));
      if (reply.ok) return done(true);
      if (!OPEN.has(classify(reply))) return outcomeOf(reply, `create ${parent}`, [parent], client.vdom);
      const isThere = classify(reply) === "duplicate";
      const find = (): Promise<GroupRow | undefined> => look.group(parent, family);
      const row = isThere ? await lookTwice(tools, find) : await find();
      if (row !== undefined) return row.members.includes(child) ? done(false) : await attach(tools, step);
      if (isThere) return again("busy", `${parent} is said to exist, but can't be read`, true);
      return await childOrRefused(tools, step, reply);
    },
    holds: () => holdsChild(tools, step),
  };
}

export function attachChild(tools: Tools, step: Link): Work {
  return { act: () => attach(tools, step), holds: () => holdsChild(tools, step) };
}

/** By the child table: whatever anybody else does to the group meanwhile stays. */
async function attach(tools: Tools, step: Link | CreateParent): Promise<Outcome> {
  const { parent, child, family } = step;
  const reply = await send(tools, addMember(groupTable(family), parent, child));
  if (reply.ok) return done(reply.changed !== false);
  if (!OPEN.has(classify(reply))) return outcomeOf(reply, `attach to ${parent}`, [parent], tools.client.vdom);
  const row = await tools.look.group(parent, family);
  if (row === undefined) return again("missing-reference", `${parent} is gone`, true);
  if (row.members.includes(child)) return done(false);
  return await childOrRefused(tools, step, reply);
}

async function childOrRefused(tools: Tools, step: Link | CreateParent, reply: Reply): Promise<Outcome> {
  const { parent, child, family } = step;
  if ((await tools.look.group(child, family)) === undefined) {
    return again("missing-reference", `${child} is missing`, true);
  }
  return refusalOf(reply, `attach to ${parent}`, [parent], tools.client.vdom);
}

async function holdsChild({ look }: Tools, { parent, child, family }: Link | CreateParent): Promise<boolean> {
  const row = await look.group(parent, family);
  return row?.members.includes(child) === true;
}

export function detachChild(tools: Tools, step: Link): Work {
  const { look, client } = tools;
  const { parent, child, family } = step;
  const table = groupTable(family);
  const remove = (): Promise<Reply> => send(tools, removeMember(table, parent, child));
  return {
    act: async () => {
      let reply = await remove();
      if (reply.ok) return done(reply.changed !== false);
      if (!OPEN.has(classify(reply))) return outcomeOf(reply, `detach from ${parent}`, [parent], client.vdom);
      const row = await look.group(parent, family);
      if (row === undefined || !row.members.includes(child)) return done(false);
      if (row.members.length === 1) {
        // Below FortiOS 7.2 the last member can't go. Appending undoes nothing that others do meanwhile.
        const add = (member: string): Promise<Reply> => send(tools, addMember(table, parent, member));
        const filled = await tools.emptyGroups.filler(tools, family, add);
        reply = filled.ok ? await remove() : filled;
        if (reply.ok) return done(true);
      }
      return refusalOf(reply, `detach from ${parent}`, [parent], client.vdom);
    },
    holds: async () => !(await holdsChild(tools, step)),
  };
}

/** Only what we made, and only when nobody put anything into it. */
export function deleteParent(tools: Tools, { parent, family }: DeleteParent): Work {
  const { look, names } = tools;
  const table = groupTable(family);
  const isGone = async (): Promise<boolean> => (await look.group(parent, family)) === undefined;
  return {
    act: async () => {
      const row = await look.group(parent, family);
      if (row === undefined) return done(false);
      if (!names.isMarked(row.comment)) {
        return refused("collision", `${parent} was not made by us and is left alone`, [parent]);
      }
      const members = row.members.filter((member) => !isPlaceholder(names, member));
      if (members.length > 0) {
        return refused("in-use", `${parent} stays: it holds ${members.slice(0, 5).join(", ")}`, [parent]);
      }
      return await removeObject(tools, table, parent, [parent], isGone);
    },
    holds: isGone,
  };
}
