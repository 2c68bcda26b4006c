import { familyOf } from "@podgate/shared/contract/address";
import type { Outcome, Step } from "../firewall.ts";
import { again, done, refusalOf, refused } from "./outcome.ts";
import { standingOf } from "./standing.ts";
import { removeObject } from "./remove.ts";
import { lookTwice, send, type Tools, type Work } from "./work.ts";
import { contentOf, hostFields, type AddressRow } from "./wire/content.ts";
import { classify } from "./wire/refusal.ts";
import { addressTable, create, one } from "./wire/request.ts";

type AddressStep = Extract<Step, { address: string }>;

export function createAddress(tools: Tools, { name, address }: AddressStep): Work {
  const { client, look, names } = tools;
  const family = familyOf(address);
  const find = (): Promise<AddressRow | undefined> => look.address(name, family);
  return {
    act: async () => {
      const body = { name, comment: names.comment(), ...hostFields(address) };
      const reply = await send(tools, create(addressTable(family), body));
      if (reply.ok) return done(true);
      const kind = classify(reply);
      if (kind !== "duplicate" && kind !== "dependency") {
        return refusalOf(reply, `create ${name}`, [address], client.vdom);
      }
      const row = await lookTwice(tools, find);
      if (row !== undefined) return takeOver(tools, row, address);
      return kind === "duplicate"
        ? again("busy", `${name} is said to exist, but can't be read`, true)
        : refusalOf(reply, `create ${name}`, [address], client.vdom);
    },
    holds: async () => {
      const row = await lookTwice(tools, find);
      return row !== undefined && ["ours", "borrowed"].includes(standingOf(names, row, address));
    },
  };
}

/** It was there before. */
function takeOver({ names }: Tools, row: AddressRow, address: string): Outcome {
  switch (standingOf(names, row, address)) {
    case "drifted":
      return again("unclear", `${row.name} is there already and holds ${contentOf(row)}`, true);
    case "collision":
      return refused("collision", foreign(row), [address]);
    default:
      return done(false);
  }
}

const foreign = (row: AddressRow): string =>
  `${row.name} does not carry our mark in its comment and is left alone; it holds ${contentOf(row)}`;

export function repairAddress(tools: Tools, { name, address }: AddressStep): Work {
  const { client, look, names } = tools;
  const family = familyOf(address);
  return {
    act: async () => {
      const row = await look.address(name, family);
      if (row === undefined) return again("missing-reference", `${name} is gone`, true);
      if (!names.isMarked(row.comment)) return refused("collision", foreign(row), [address]);
      if (standingOf(names, row, address) === "ours") return done(false);
      const reply = await send(tools, one("PUT", addressTable(family), name, hostFields(address)));
      if (reply.ok) return done(true);
      const isOpen = ["missing", "reference", "dependency"].includes(classify(reply));
      return isOpen && (await look.address(name, family)) === undefined
        ? again("missing-reference", `${name} is gone`, true)
        : refusalOf(reply, `repair ${name}`, [address], client.vdom);
    },
    holds: async () => {
      const row = await look.address(name, family);
      return row !== undefined && standingOf(names, row, address) === "ours";
    },
  };
}

export function deleteAddress(tools: Tools, { name, address }: AddressStep): Work {
  const { look, names } = tools;
  const family = familyOf(address);
  const table = addressTable(family);
  const isGone = async (): Promise<boolean> => (await look.address(name, family)) === undefined;
  return {
    act: async () => {
      const row = await look.address(name, family);
      if (row === undefined) return done(false);
      if (!names.isMarked(row.comment)) return refused("collision", foreign(row), [address]);
      return await removeObject(tools, table, name, [address], isGone);
    },
    holds: isGone,
  };
}
