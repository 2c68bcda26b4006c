import t from "tap";
import { absencesOf, isSettledBy } from "../../src/reconcile/absences.ts";

const believed = { verified: true, shortList: undefined };
const short = { verified: true, shortList: "the list shrank" };

t.test(
  "a device that was not read leaves open what a short list leaves open; a believed cluster's is settled",
  async (t) => {
    // "constructor" is a legal cluster name, and every object seems to have one.
    for (const cluster of ["east", "constructor"]) {
      const unread = { works: [{ wasRead: false, plan: { isDoubtful: () => false } }] };
      t.equal(isSettledBy(absencesOf(unread, [[cluster, short]], 0), cluster, "the list shrank"), false);
      t.equal(
        isSettledBy(absencesOf({ works: [] }, [[cluster, short]], 0), cluster, "the list shrank"),
        true,
      );
      t.equal(isSettledBy(absencesOf(unread, [[cluster, believed]], 0), cluster, "the list shrank"), true);
      t.equal(isSettledBy(undefined, cluster, "the list shrank"), false);
    }
  },
);
