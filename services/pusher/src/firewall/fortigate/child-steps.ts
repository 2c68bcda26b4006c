import type { Outcome, Step } from "../firewall.ts";
import { settleReference } from "./missing-reference.ts";
import { again, done, outcomeOf, refused } from "./outcome.ts";
import { isPlaceholder } from "./placeholder.ts";
import { removeObject } from "./remove.ts";
import { lookTwice, send, type Tools, type Work } from "./work.ts";
import type { GroupRow } from "./wire/content.ts";
import type { Reply } from "./wire/envelope.ts";
import { classify } from "./wire/refusal.ts";
import { create, groupTable, memberRows, one } from "./wire/request.ts";

type CreateChild = Extract<Step, { kind: "create-child" }>;
type PutChild = Extract<Step, { kind: "put-child" }>;
type DeleteChild = Extract<Step, { kind: "delete-child" }>;

export function createChild(tools: Tools, step: CreateChild): Work {
  const { look, names } = tools;
  const { child, family } = step;
  const find = (): Promise<GroupRow | undefined> => look.group(child, family);
  return {
    act: async () => {
      const comment = names.childComment(step);
      const reply = await writeMembers(tools, step, (members) => {
        const body = { name: child, comment, member: memberRows(members) };
        return send(tools, create(groupTable(family), body));
      });
      if (reply.ok) return done(true);
      const kind = classify(reply);
      if (kind !== "duplicate" && kind !== "dependency") return await childRefused(tools, step, reply);
      const row = await lookTwice(tools, find);
      if (row === undefined && kind === "dependency") return await childRefused(tools, step, reply);
      if (row === undefined) return again("busy", `${child} is said to exist, but can't be read`, true);
      if (!names.isMarked(row.comment)) return refused("collision", foreign(child), [child]);
      return holdsMembers(tools, row, step.members) ? done(false) : await putMembers(tools, step);
    },
    holds: async () => {
      const row = await lookTwice(tools, find);
      return row !== undefined && names.isMarked(row.comment) && holdsMembers(tools, row, step.members);
    },
  };
}

export function putChild(tools: Tools, step: PutChild): Work {
  return {
    act: () => putMembers(tools, step),
    holds: async () => {
      const row = await tools.look.group(step.child, step.family);
      return row !== undefined && holdsMembers(tools, row, step.members);
    },
  };
}

/** The whole list in one call: what was there before does not matter. */
async function putMembers(tools: Tools, step: PutChild | CreateChild): Promise<Outcome> {
  const table = groupTable(step.family);
  const reply = await writeMembers(tools, step, (members) =>
    send(tools, one("PUT", table, step.child, { member: memberRows(members) })),
  );
  return reply.ok ? done(reply.changed !== false) : await childRefused(tools, step, reply);
}

async function writeMembers(
  tools: Tools,
  { members, family }: PutChild | CreateChild,
  write: (members: readonly string[]) => Promise<Reply>,
): Promise<Reply> {
  if (members.length === 0) return await tools.emptyGroups.write(tools, family, write);
  return await write(members.map((address) => tools.names.address(address)));
}

async function childRefused(tools: Tools, step: PutChild | CreateChild, reply: Reply): Promise<Outcome> {
  const { child, members, family } = step;
  const what = `write ${child}`;
  const kind = classify(reply);
  if (kind === "reference" || kind === "dependency" || kind === "invalid") {
    return await settleReference(tools, reply, { what, members, family, group: child });
  }
  if (kind === "missing") return again("missing-reference", `${child} is gone`, true);
  return outcomeOf(reply, what, [child], tools.client.vdom);
}

export function deleteChild(tools: Tools, { child, family }: DeleteChild): Work {
  const { look, names } = tools;
  const table = groupTable(family);
  const isGone = async (): Promise<boolean> => (await look.group(child, family)) === undefined;
  return {
    act: async () => {
      const row = await look.group(child, family);
      if (row === undefined) return done(false);
      if (!names.isMarked(row.comment)) return refused("collision", foreign(child), [child]);
      return await removeObject(tools, table, child, [child], isGone);
    },
    holds: isGone,
  };
}

const foreign = (child: string): string =>
  `${child} does not carry our mark in its comment and is left alone`;

function holdsMembers({ names }: Tools, row: GroupRow, addresses: readonly string[]): boolean {
  const held = row.members.filter((name) => !isPlaceholder(names, name));
  const wanted = new Set(addresses.map((address) => names.address(address)));
  return held.length === wanted.size && held.every((name) => wanted.has(name));
}
