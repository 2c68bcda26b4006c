import t from "tap";
import { podFact } from "../../src/facts/pod-fact.ts";

interface Parts {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

const pod = ({ metadata, spec, status }: Parts = {}) => ({
  metadata: { uid: "u1", namespace: "shop", name: "web-0", resourceVersion: "7", ...metadata },
  spec: { nodeName: "n1", containers: [{ name: "main" }], ...spec },
  status: { phase: "Running", podIPs: [{ ip: "10.0.0.1" }], ...status },
});
const ended = { state: { terminated: { exitCode: 0 } } };
const runs = { state: { running: {} } };
const waits = { state: { waiting: { reason: "CrashLoopBackOff" } } };

t.test("a pod is cut to what membership needs", async (t) => {
  const { fact, rejected } = podFact(pod({ metadata: { labels: { app: "web" } } }));
  t.strictSame(fact, {
    uid: "u1",
    namespace: "shop",
    name: "web-0",
    labels: { app: "web" },
    addresses: ["10.0.0.1"],
    nodeName: "n1",
    hostNetwork: false,
    finished: false,
    terminating: false,
    graceSeconds: 0,
    containersStopped: false,
    released: false,
    resourceVersion: "7",
  });
  t.strictSame(rejected, []);
});

for (const value of [undefined, null, 7, "pod", [], {}, { metadata: null, spec: [], status: "x" }]) {
  t.test(`an object of another shape reads as an empty pod: ${JSON.stringify(value)}`, async (t) => {
    const { fact } = podFact(value);
    t.match(fact, { uid: "", addresses: [], labels: {}, terminating: false, finished: false });
  });
}

const ADDRESSES: readonly [string, readonly string[], readonly string[], readonly string[]][] = [
  ["dual-stack", ["10.0.0.1", "2001:DB8:0::1"], ["10.0.0.1", "2001:db8::1"], []],
  ["the same twice", ["10.0.0.1", "::ffff:10.0.0.1"], ["10.0.0.1"], []],
  ["not there yet", ["", ""], [], []],
  ["loopback", ["127.0.0.1", "::1"], [], ["127.0.0.1", "::1"]],
  ["link-local", ["169.254.7.7", "fe80::1", "febf::1"], [], ["169.254.7.7", "fe80::1", "febf::1"]],
  [
    "multicast and broadcast",
    ["224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1"],
    [],
    ["224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1"],
  ],
  ["unspecified", ["0.0.0.0", "::"], [], ["0.0.0.0", "::"]],
  ["no address at all", ["10.0.0.01", "10.0.0.1/24", "web"], [], ["10.0.0.01", "10.0.0.1/24", "web"]],
  [
    "near the edges",
    ["223.255.255.255", "240.0.0.1", "fec0::1"],
    ["223.255.255.255", "240.0.0.1", "fec0::1"],
    [],
  ],
];
for (const [what, texts, addresses, rejected] of ADDRESSES) {
  t.test(`podIPs: ${what}`, async (t) => {
    const reading = podFact(pod({ status: { podIPs: texts.map((ip) => ({ ip })) } }));
    t.strictSame(reading.fact.addresses, addresses);
    t.strictSame(reading.rejected, rejected);
  });
}

const FLAGS: readonly [string, Parts, object][] = [
  ["Succeeded is finished", { status: { phase: "Succeeded" } }, { finished: true }],
  ["Failed is finished", { status: { phase: "Failed" } }, { finished: true }],
  ["Unknown (node lost) is not finished", { status: { phase: "Unknown" } }, { finished: false }],
  ["Pending is not finished", { status: { phase: "Pending" } }, { finished: false }],
  ["host network by its field, not by its address", { spec: { hostNetwork: true } }, { hostNetwork: true }],
  [
    "terminating, with its grace",
    { metadata: { deletionTimestamp: "2026-11-24T00:00:30Z", deletionGracePeriodSeconds: 30 } },
    { terminating: true, graceSeconds: 30 },
  ],
  [
    "terminating without a stated grace: none",
    { metadata: { deletionTimestamp: "2026-11-24T00:00:30Z" } },
    { terminating: true, graceSeconds: 0 },
  ],
  [
    "a grace without a deletion means nothing",
    { metadata: { deletionGracePeriodSeconds: 30 } },
    { graceSeconds: 0 },
  ],
];
for (const [what, parts, expected] of FLAGS) {
  t.test(what, async (t) => t.match(podFact(pod(parts)).fact, expected));
}

const CONTAINERS: readonly [string, Parts, boolean][] = [
  ["all terminated", { status: { containerStatuses: [ended] } }, true],
  ["one of two still runs", { status: { containerStatuses: [ended, runs] } }, false],
  ["one waits to start again", { status: { containerStatuses: [waits] } }, false],
  ["no status yet", {}, false],
  [
    "fewer statuses than containers",
    { spec: { containers: [{}, {}] }, status: { containerStatuses: [ended] } },
    false,
  ],
  [
    "a sidecar (restartable init container) still runs",
    { status: { containerStatuses: [ended], initContainerStatuses: [ended, runs] } },
    false,
  ],
  [
    "a debugging container still runs",
    { status: { containerStatuses: [ended], ephemeralContainerStatuses: [runs] } },
    false,
  ],
  [
    "an init container that has ended does not matter",
    { status: { containerStatuses: [ended], initContainerStatuses: [ended] } },
    true,
  ],
];
for (const [what, parts, stopped] of CONTAINERS) {
  t.test(`containers ${stopped ? "have" : "have not"} stopped: ${what}`, async (t) =>
    t.equal(podFact(pod(parts)).fact.containersStopped, stopped),
  );
}

const released = (annotations: object) => podFact(pod({ metadata: { annotations } })).fact.released;
for (const name of [
  "cni.projectcalico.org/podIP",
  "cni.projectcalico.org/podIPs",
  "vpc.amazonaws.com/pod-ips",
]) {
  t.test(`the network plugin has freed the address when ${name} is empty`, async (t) => {
    t.equal(released({ [name]: "" }), true);
    t.equal(released({ [name]: "10.0.0.1/32" }), false);
    t.equal(released({ "example.com/other": "" }), false);
  });
}

t.test("pods of one template share their labels, and a label named like a method is kept", async (t) => {
  const labels = { app: "web", constructor: "x" };
  const a = podFact(pod({ metadata: { uid: "a", labels: { ...labels } } })).fact;
  const b = podFact(pod({ metadata: { uid: "b", labels: { ...labels } } })).fact;
  t.equal(a.labels, b.labels, "one object");
  t.strictSame(a.labels, labels);
  t.notSame(podFact(pod({ metadata: { labels: { app: "we", b: "b" } } })).fact.labels, labels);
});
