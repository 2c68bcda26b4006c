import { isSeen, type Candidate, type GroupView } from "./candidate.ts";

/**
 * A removal from a `deny` group opens the firewall: of any that was not seen to happen a person decides. A pod that
 * somebody relabeled is one that was seen; many of them are weighed as everywhere.
 *
 * @returns why it is held; undefined = it is not
 */
export function denyGuard({ policy }: GroupView, candidate: Candidate): string | undefined {
  if (policy.polarity !== "deny" || isSeen(candidate) || candidate.cause === "relabeled") return undefined;
  return `a removal from a deny group opens the firewall, and nobody saw the member end (${candidate.cause})`;
}
