import fc from "fast-check";
import t from "tap";
import {
  buildEvent,
  OWNERS_SHOWN,
  parseEvent,
  REMOVE_CAUSES,
  type Event,
  type Owner,
} from "../../src/contract/event.ts";
import { buildState, parseState, PHASES, type State } from "../../src/contract/state.ts";
import { buildClusterStatus, parseClusterStatus, parseTargetStatus } from "../../src/contract/status.ts";
import { memberSubject, stateSubject } from "../../src/contract/subjects.ts";
import { CONTRACT_VERSION, UnreadableMessage } from "../../src/contract/version.ts";
import { address, group, label } from "./arbitraries.ts";

const epoch = fc.record({
  created: fc.constant("2026-11-24T13:22:50.072512518Z"),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});
const owner: fc.Arbitrary<Owner> = fc.record({
  kind: fc.constantFrom("Pod" as const, "Node" as const),
  namespace: label,
  name: label,
  uid: fc.uuid(),
});
const shape = {
  v: fc.constant(1 as const),
  cluster: label,
  group,
  address,
  owners: fc.array(owner, { maxLength: OWNERS_SHOWN }),
  ownerCount: fc.nat(),
  epoch,
  resourceVersion: fc.stringMatching(/^[0-9]{0,20}$/),
  observedAt: fc.nat(),
};
const add = fc.record({ ...shape, op: fc.constant("add" as const) });
const remove = fc.record({
  ...shape,
  op: fc.constant("remove" as const),
  cause: fc.constantFrom(...REMOVE_CAUSES),
});
const event: fc.Arbitrary<Event> = fc.oneof(add, remove);
const state: fc.Arbitrary<State> = fc.record({
  v: fc.constant(1 as const),
  cluster: label,
  clusterUid: fc.uuid(),
  epoch,
  phase: fc.constantFrom(...PHASES),
  listed: fc.dictionary(fc.constantFrom("pods", "nodes", "namespaces"), fc.nat()),
  resourceVersion: fc.stringMatching(/^[0-9]{0,20}$/),
  groups: fc.array(group, { maxLength: 5 }),
  members: fc.nat(),
  digest: fc.stringMatching(/^[0-9a-f]{32}$/),
  watcherVersion: fc.string({ maxLength: 64 }),
  observedAt: fc.nat(),
});

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function reasonOf(run: () => unknown): string {
  try {
    run();
    return "read";
  } catch (error) {
    return error instanceof UnreadableMessage ? error.reason : String(error);
  }
}

t.test("an event comes back as it was built", async (t) => {
  fc.assert(
    fc.property(event, (each) => {
      const { subject, data } = buildEvent(each);
      t.same(parseEvent(subject, data), each);
    }),
  );
});

t.test("a state message comes back as it was built", async (t) => {
  fc.assert(
    fc.property(state, (each) => {
      const { subject, data } = buildState(each);
      t.same(parseState(subject, data), each);
    }),
  );
});

t.test("a newer version is refused before anything else of it is looked at", async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: CONTRACT_VERSION + 1 }), fc.jsonValue(), (v, rest) => {
      const subject = memberSubject("c", "g", "10.0.0.1");
      const newer = bytes({ rest, v });
      return (
        reasonOf(() => parseEvent(subject, newer)) === "newer-version" &&
        reasonOf(() => parseState(stateSubject("c"), newer)) === "newer-version" &&
        reasonOf(() => parseTargetStatus("c.t", newer)) === "newer-version"
      );
    }),
  );
  t.throws(
    () => parseEvent(memberSubject("c", "g", "10.0.0.1"), bytes({ v: 99 })),
    /contract version 99.*upgrade the pusher first/,
  );
  t.equal(
    reasonOf(() => parseState(stateSubject("c"), bytes({ v: 0 }))),
    "older-version",
  );
});

t.test("whatever bytes arrive, they are read whole or refused with a reason", async (t) => {
  const subject = memberSubject("c", "g", "10.0.0.1");
  const junk = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.jsonValue().map(bytes));
  fc.assert(
    fc.property(junk, (data) =>
      ["not-json", "invalid", "newer-version", "older-version"].includes(
        reasonOf(() => parseEvent(subject, data)),
      ),
    ),
  );
  t.equal(
    reasonOf(() => parseEvent(subject, new Uint8Array([0xff, 0xfe]))),
    "not-json",
  );
  t.equal(
    reasonOf(() => parseEvent(subject, new Uint8Array())),
    "not-json",
  );
  t.equal(
    reasonOf(() => parseEvent(subject, bytes({ v: "1" }))),
    "invalid",
  );
  t.equal(
    reasonOf(() => parseEvent(subject, bytes(null))),
    "invalid",
  );
});

t.test("a body that names another member, or stands on another kind of subject, is refused", async (t) => {
  fc.assert(
    fc.property(event, event, state, (one, two, three) => {
      const [first, second, third] = [buildEvent(one), buildEvent(two), buildState(three)];
      if (first.subject !== second.subject) {
        t.equal(
          reasonOf(() => parseEvent(second.subject, first.data)),
          "wrong-subject",
        );
      }
      t.equal(
        reasonOf(() => parseEvent(third.subject, first.data)),
        "wrong-subject",
      );
      t.equal(
        reasonOf(() => parseState(first.subject, third.data)),
        "wrong-subject",
      );
    }),
  );
});

t.test("each field of an event is needed and checked", async (t) => {
  const [sample] = fc.sample(remove, { numRuns: 1, seed: 7 });
  if (sample === undefined) throw new Error("no sample");
  const { subject } = buildEvent(sample);
  for (const field of Object.keys(sample).filter((name) => name !== "v")) {
    t.equal(
      reasonOf(() => parseEvent(subject, bytes({ ...sample, [field]: undefined }))),
      "invalid",
      field,
    );
  }
  t.equal(
    reasonOf(() => parseEvent(subject, bytes({ ...sample, cause: "because" }))),
    "invalid",
  );
  t.equal(
    reasonOf(() => parseEvent(subject, bytes({ ...sample, epoch: { ...sample.epoch, sequence: 2 ** 53 } }))),
    "invalid",
  );
  const owners = Array.from({ length: OWNERS_SHOWN + 1 }, () => ({ kind: "Pod", name: "p", uid: "u" }));
  t.equal(
    reasonOf(() => parseEvent(subject, bytes({ ...sample, owners }))),
    "invalid",
  );
});

t.test(
  "a field that this build does not know is passed over: a later build of the same version may add one",
  async (t) => {
    const status = { v: 1 as const, cluster: "c", reads: 1, verified: false, unrouted: {}, updatedAt: 1 };
    t.same(parseClusterStatus("c", bytes({ ...status, later: true })), status);
    t.same(parseClusterStatus("c", buildClusterStatus(status)), status);
  },
);
