import { REMOVE_CAUSES } from "@podgate/shared/contract/event";

/**
 * The cause of a removal as the pusher sees it: its watcher's, or its own. `unrouted` = its configuration forbids the
 * address; `silent` = its cluster was not verified for longer than the route says; `adopted` and `forgotten` = a person
 * was shown what goes, and approved it.
 */
export const CAUSES = [...REMOVE_CAUSES, "unrouted", "silent", "adopted", "forgotten"] as const;
export type Cause = (typeof CAUSES)[number];
