import type { SessionSource } from "./session.ts";

/**
 * A cluster that defines no group and has no member, whatever its lists say. It is followed all the same: the resources
 * of its groups go on telling their status. Being empty needs no list, so a cluster can be drained that can't be read.
 */
export function withoutMembers(source: SessionSource): SessionSource {
  return {
    run: (minimum, _onChanges, signal) => source.run(minimum, () => undefined, signal),
    follow: () => undefined,
    onChange: (run) => source.onChange(run),
    listed: () => source.listed(),
    resourceVersion: () => source.resourceVersion(),
    fresh: true,
    whole: true,
    members: () => [],
    member: () => undefined,
    groups: () => [],
    endOf: () => "vanished",
    holders: () => [],
    recall: () => undefined,
    miss: () => undefined,
    tick: () => [],
    nextDeadline: () => undefined,
  };
}
