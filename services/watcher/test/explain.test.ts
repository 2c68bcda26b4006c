import t from "tap";
import { podFact } from "../src/facts/pod-fact.ts";
import { explanation, explanationAsText, podNamed, type Explained } from "../src/explain.ts";
import { definitionFact } from "../src/kubernetes/group-definitions.ts";
import { resolveConflicts } from "../src/membership/conflicts.ts";
import { Membership } from "../src/membership/membership.ts";

const definition = (name: string, createdAt: string, spec: object) =>
  definitionFact("ClusterAddressGroup", {
    metadata: { name, uid: name, generation: 1, creationTimestamp: createdAt },
    spec,
  });

function cluster(): Explained {
  const facts = [
    definition("web", "2026-01-01T00:00:00Z", { podSelector: { matchLabels: { app: "web" } } }),
    definition("batch", "2026-01-01T00:00:00Z", { podSelector: { matchLabels: { app: "batch" } } }),
    definition("late", "2026-02-01T00:00:00Z", { podSelector: {}, groupName: "web" }),
    definition("broken", "2026-01-01T00:00:00Z", { podSelector: {}, addresses: "Service" }),
  ];
  const { accepted, losers } = resolveConflicts(facts.flatMap((fact) => fact.definition ?? []));
  const membership = new Membership();
  membership.setGroups(accepted, 0);
  const pod = {
    metadata: { uid: "u", namespace: "shop", name: "web-1", labels: { app: "web" } },
    spec: { containers: [{}] },
    status: { phase: "Running", podIPs: [{ ip: "10.1.2.3" }] },
  };
  membership.putPod(podFact(pod).fact, 0);
  return {
    membership,
    definitions: () =>
      facts.map((fact) => ({
        fact,
        loser: losers.find((loser) => loser.definition.source.uid === fact.uid),
      })),
  };
}

t.test("each group is told with the pod's address, or with the reason why not", async (t) => {
  const text = explanationAsText(explanation(cluster(), "shop", "web-1", 0));
  t.match(text, /in {6}web +member with 10\.1\.2\.3/);
  t.match(text, /not in {2}batch +podSelector does not match/);
  t.match(text, /ClusterAddressGroup late: claims the group of the older ClusterAddressGroup web/);
  t.match(text, /ClusterAddressGroup broken: spec\.addresses: "Service"/);
});

t.test("one group alone can be asked for", async (t) => {
  const { groups, refused } = explanation(cluster(), "shop", "web-1", 0, "batch");
  t.match(groups, [{ group: "batch", member: false }]);
  t.equal(groups.length, 1);
  t.strictSame(refused, []);
});

t.test("a group that is not there is answered with those that are", async (t) => {
  t.throws(() => explanation(cluster(), "shop", "web-1", 0, "wbe"), { message: /it has batch, web/ });
});

t.test("a pod that is not there is told so", async (t) => {
  const found = explanation(cluster(), "shop", "web-2", 0);
  t.equal(found.found, false);
  t.match(explanationAsText(found), /pod shop\/web-2: there is no such pod/);
});

t.test("a pod is named by namespace and name", async (t) => {
  t.strictSame(podNamed("shop/web-1"), { namespace: "shop", name: "web-1" });
  for (const wrong of ["web-1", "/web-1", "shop/", "a/b/c"])
    t.throws(() => podNamed(wrong), /namespace\/name/);
});
