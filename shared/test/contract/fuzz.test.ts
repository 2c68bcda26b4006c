import fc from "fast-check";
import t from "tap";
import { buildEvent, parseEvent, type Event } from "../../src/contract/event.ts";
import { buildState, parseState, type State } from "../../src/contract/state.ts";
import { parseClusterStatus, parseTargetStatus } from "../../src/contract/status.ts";
import { parseSubject, SubjectError } from "../../src/contract/subjects.ts";
import { UnreadableMessage } from "../../src/contract/version.ts";
import { deepJson, junk, nastyText, spoiled } from "../junk.ts";

const EVENT: Event = {
  v: 1,
  op: "remove",
  cause: "ended",
  cluster: "east",
  group: "shop/web",
  address: "10.0.0.1",
  owners: [{ kind: "Pod", namespace: "shop", name: "web-1", uid: "u-1" }],
  ownerCount: 1,
  epoch: { created: "2026-01-01T00:00:00Z", sequence: 7 },
  resourceVersion: "42",
  observedAt: 1_700_000_000_000,
};

const STATE: State = {
  v: 1,
  cluster: "east",
  clusterUid: "uid-1",
  epoch: { created: "2026-01-01T00:00:00Z", sequence: 7 },
  phase: "synced",
  listed: { pods: 3, nodes: 1 },
  resourceVersion: "42",
  groups: ["web", "shop/web"],
  members: 2,
  digest: "0".repeat(32),
  watcherVersion: "1.0.0",
  observedAt: 1_700_000_000_000,
};

const CLUSTER_STATUS = {
  v: 1,
  cluster: "east",
  reads: 1,
  verified: false,
  reason: "silent",
  unrouted: { web: "no route takes this group" },
  updatedAt: 1_700_000_000_000,
};

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value) ?? "undefined");

/** Right in every respect, or refused as what it is, in few words: nothing in between, and never another error. */
function readOrRefused<T>(read: () => T, most = 1000): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableMessage || error instanceof SubjectError) {
      if (error.message.length > most) throw new Error("an endless message", { cause: error });
      return undefined;
    }
    throw error;
  }
}

t.test("a spoiled event is refused, or is one that its builder could have made on that subject", (t) => {
  const { subject } = buildEvent(EVENT);
  let read = 0;
  fc.assert(
    fc.property(spoiled(EVENT), (body) => {
      const event = readOrRefused(() => parseEvent(subject, bytes(body)));
      if (event === undefined) return;
      read += 1;
      if (buildEvent(event).subject !== subject) throw new Error("it names another member");
      parseEvent(subject, buildEvent(event).data);
    }),
    { numRuns: 2000 },
  );
  t.ok(read > 0, "some are read: what is spoiled was optional");
  t.end();
});

t.test("a spoiled state message or status is refused, or is one that its builder could have made", (t) => {
  const { subject } = buildState(STATE);
  fc.assert(
    fc.property(spoiled(STATE), spoiled(CLUSTER_STATUS), (state, status) => {
      const read = readOrRefused(() => parseState(subject, bytes(state)));
      if (read !== undefined) parseState(subject, buildState(read).data);
      readOrRefused(() => parseClusterStatus("east", bytes(status)));
      readOrRefused(() => parseTargetStatus("east.fw1", bytes(status)));
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test(
  "an event's body that names another member than its subject is refused, whichever field it is",
  (t) => {
    const { subject } = buildEvent(EVENT);
    for (const change of [{ cluster: "west" }, { group: "shop/db" }, { address: "10.0.0.2" }])
      t.throws(
        () => parseEvent(subject, buildEvent({ ...EVENT, ...change }).data),
        /another (member|cluster)/,
      );
    t.throws(() => parseEvent(subject, buildState(STATE).data), UnreadableMessage);
    t.throws(
      () => parseState(buildState(STATE).subject, buildState({ ...STATE, cluster: "west" }).data),
      /another (member|cluster)/,
    );
    t.end();
  },
);

t.test("a message with thousands of faults is refused in few words", (t) => {
  const groups = Array.from({ length: 5000 }, (_, at) => `#${at}`);
  const read = (): unknown => parseState("podgate.clusters.east", bytes({ ...STATE, groups }));
  t.throws(read, { message: /groups\.0: .*; and 4995 more$/ });
  t.equal(readOrRefused(read), undefined);
  t.end();
});

t.test("bytes of any kind are no message: not text, not JSON, nested without end", (t) => {
  const { subject } = buildEvent(EVENT);
  const any = fc.oneof(fc.uint8Array({ maxLength: 200 }), junk.map(bytes));
  fc.assert(
    fc.property(any, (data) => {
      t.equal(
        readOrRefused(() => parseEvent(subject, data)),
        undefined,
      );
      t.equal(
        readOrRefused(() => parseState("podgate.clusters.east", data)),
        undefined,
      );
      t.equal(
        readOrRefused(() => parseClusterStatus("east", data)),
        undefined,
      );
      t.equal(
        readOrRefused(() => parseTargetStatus("east.fw1", data)),
        undefined,
      );
    }),
    { numRuns: 500 },
  );
  for (const text of [deepJson(), `{"v":1,"owners":${deepJson()}}`])
    t.throws(() => parseEvent(subject, new TextEncoder().encode(text)), UnreadableMessage);
  t.end();
});

t.test("a subject that no builder makes is refused", (t) => {
  const token = fc.oneof(
    nastyText,
    fc.constantFrom("podgate", "members", "clusters", "east", "web", "10-0-0-1"),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 7 }), (tokens) => {
      const subject = tokens.join(".");
      const place = readOrRefused(() => parseSubject(subject), subject.length + 1000);
      if (place?.kind === "member") {
        const { group, address } = place;
        const made = buildEvent({ ...EVENT, cluster: place.cluster, group, address }).subject;
        if (made !== subject) throw new Error(`${subject} and ${made} are two spellings of one member`);
      }
    }),
    { numRuns: 2000 },
  );
  t.end();
});
