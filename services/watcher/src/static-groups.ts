import { UserError } from "@podgate/shared/runtime/errors";
import type { Configuration } from "./configuration.ts";
import { staticDefinition } from "./kubernetes/group-definitions.ts";
import type { GroupDefinition } from "./membership/group-definition.ts";

/** The groups of the configuration itself. @throws UserError with everything that is wrong with them */
export function staticGroups({ groups }: Configuration): GroupDefinition[] {
  const faults: string[] = [];
  const first = new Map<string, number>();
  const definitions = groups.flatMap((group, at) => {
    const before = first.get(group.name);
    if (before === undefined) first.set(group.name, at);
    else
      faults.push(`groups[${at}].name: "${group.name}" is groups[${before}] already; remove one of the two`);
    const { definition, faults: found } = staticDefinition(group);
    faults.push(
      ...found.map((fault) => fault.replace("spec.groupName", "spec.name").replace("spec", `groups[${at}]`)),
    );
    return definition ?? [];
  });
  if (faults.length > 0)
    throw new UserError(`the configuration has faults:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  return definitions;
}
