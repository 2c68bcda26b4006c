import { readFileSync } from "node:fs";
import t from "tap";
import { podFact } from "../../src/facts/pod-fact.ts";
import { brief, group, membership } from "./scene.ts";

// Watches of a real kubelet and containerd (Kubernetes 1.37.2): what each event did to the group, by its place in
// the file, counted from 0. Everything between says nothing new.
const LIVES: readonly [string, string, Readonly<Record<number, string>>][] = [
  [
    "a graceful stop: in with Running, still in while it terminates, out when it has succeeded",
    "pod-life.jsonl",
    { 4: "+ all 10.244.0.3", 8: "-ended all 10.244.0.3" },
  ],
  [
    "killed after its grace: out when it has failed, before it is deleted",
    "pod-killed.jsonl",
    { 4: "+ all 10.244.0.8", 7: "-ended all 10.244.0.8" },
  ],
  [
    "a Deployment that scales from 1 to 3 and back",
    "pods-scale.jsonl",
    {
      4: "+ all 10.244.0.4",
      14: "+ all 10.244.0.5",
      16: "+ all 10.244.0.6",
      22: "-ended all 10.244.0.6",
      23: "-ended all 10.244.0.5",
    },
  ],
];

interface Recorded {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: { readonly metadata: { readonly uid: string } };
}

function recorded(file: string): Recorded[] {
  const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded);
}

for (const [what, file, expected] of LIVES) {
  t.test(`recorded life, ${what}`, async (t) => {
    const m = membership(group("all", { podSelector: {} }));
    const told: Record<number, string> = {};
    for (const [at, { type, object }] of recorded(file).entries()) {
      const changes =
        type === "DELETED" ? m.removePod(object.metadata.uid) : m.putPod(podFact(object).fact, at * 1000);
      if (changes.length > 0) told[at] = brief(changes).join(", ");
    }
    t.strictSame(told, expected);
  });
}

t.test("recorded life, its end never seen: out at its grace and the margin, not before", async (t) => {
  const m = membership(group("all", { podSelector: {} }));
  const life = recorded("pod-life.jsonl").slice(0, 8);
  for (const [at, { object }] of life.entries()) m.putPod(podFact(object).fact, at * 1000);
  // Event 6, at 6 s, is the first that says it is being deleted, with 30 s of grace.
  t.strictSame(m.tick(45_999), []);
  t.strictSame(brief(m.tick(46_000)), ["-ended all 10.244.0.3"]);
});
