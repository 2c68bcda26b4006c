import t from "tap";
import { VersionJudge } from "../oracle/version-judge.ts";

/** One stream and the statuses of one target; the test plays whoever stores. */
class Bench {
  readonly violations: string[] = [];
  now = 0;
  readonly judge = new VersionJudge(
    () => this.now,
    (what) => this.violations.push(what),
  );
  #sequence = 0;

  state(epoch: number, resourceVersion: string, more: object = {}): void {
    const body = { epoch: { created: "monday", sequence: epoch }, clusterUid: "u", resourceVersion, ...more };
    this.#store("PODGATE_c1", "podgate.clusters.c1", body);
  }

  event(epoch: number): void {
    const body = { epoch: { created: "monday", sequence: epoch }, resourceVersion: "1" };
    this.#store("PODGATE_c1", "podgate.members.c1.web.10-0-0-1", body);
  }

  status(appliedSequence: number): void {
    this.#store("KV_podgate-status", "$KV.podgate-status.c1.fw1", { appliedSequence });
  }

  #store(stream: string, subject: string, body: object): void {
    this.#sequence += 1;
    const data = new TextEncoder().encode(JSON.stringify(body));
    this.judge.stored(stream, { subject, data, sequence: this.#sequence });
  }
}

t.test("versions that rise or stay are right", (t) => {
  const bench = new Bench();
  bench.state(1, "");
  bench.state(1, "7");
  bench.event(1);
  bench.state(5, "7");
  bench.state(5, "10");
  bench.event(5);
  for (const applied of [0, 3, 3, 6]) bench.status(applied);
  bench.status(0);
  bench.status(6);
  t.same(bench.violations, [], "a pusher that has not compared yet says 0");
  t.end();
});

t.test("a watcher that was replaced stores nothing any more", (t) => {
  const bench = new Bench();
  bench.state(1, "7");
  bench.state(5, "7");
  bench.event(1);
  t.match(bench.violations, [
    "c1: message 3 (podgate.members.c1.web.10-0-0-1) is of epoch 1, after one of epoch 5",
  ]);
  t.end();
});

t.test("no state is of older lists than the one before, unless it is of another cluster", (t) => {
  const bench = new Bench();
  bench.state(1, "10");
  bench.state(1, "9", { clusterUid: "v" });
  t.same(bench.violations, []);
  bench.state(1, "8", { clusterUid: "v" });
  t.match(bench.violations, [/resourceVersion 8, after one of 9/]);
  t.end();
});

t.test("a claim may tell of what was true while its messages were on the wire, and of nothing older", (t) => {
  for (const [waited, wrong] of [
    [9000, 0],
    [11_000, 1],
  ] as const) {
    const bench = new Bench();
    bench.state(1, "7");
    bench.state(1, "10");
    bench.now += waited;
    bench.state(5, "7");
    t.equal(bench.violations.length, wrong, `${String(waited)} ms`);
  }
  const bench = new Bench();
  bench.state(1, "10");
  bench.state(5, "");
  t.equal(bench.violations.length, 1, "what was seen is not forgotten");
  t.end();
});

t.test("no status tells of less than before", (t) => {
  const bench = new Bench();
  bench.status(9);
  bench.status(8);
  t.match(bench.violations, ["status c1.fw1 tells of sequence 8, after it told of 9"]);
  t.end();
});

t.test("a stream that was made anew is another line of epochs; without that nobody may begin one", (t) => {
  const bench = new Bench();
  bench.state(5, "10");
  bench.status(9);
  bench.judge.rewound("PODGATE_c1");
  bench.state(2, "3", { epoch: { created: "tuesday", sequence: 2 } });
  bench.status(2);
  t.same(bench.violations, []);
  bench.state(5, "3");
  t.match(bench.violations, [/is of a stream made monday, but this one was made tuesday/]);
  t.end();
});

t.test("in maintenance no member is published", (t) => {
  const bench = new Bench();
  bench.state(1, "7");
  bench.judge.freeze("c1", true);
  bench.state(1, "8");
  t.same(bench.violations, []);
  bench.event(1);
  t.match(bench.violations, [/is published in maintenance/]);
  bench.judge.freeze("c1", false);
  bench.event(1);
  t.equal(bench.violations.length, 1);
  t.end();
});
