import t from "tap";
import { requireEstablished } from "../../src/kubernetes/established.ts";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { ApiServer } from "./api-server.ts";

const NAME = "addressgroups.podgate.dev";
const PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${NAME}`;
const condition = (type: string, status = "True") => ({ type, status });
const crd = (metadata: object, ...conditions: object[]) => ({ metadata, status: { conditions } });

const CASES: readonly [string, object | undefined, RegExp | undefined][] = [
  ["established", crd({}, condition("NamesAccepted"), condition("Established")), undefined],
  ["not established yet", crd({}, condition("Established", "False")), /is not established/],
  ["without any condition", crd({}), /is not established/],
  [
    "being deleted",
    crd({ deletionTimestamp: "2026-11-24T00:00:00Z" }, condition("Established")),
    /is being deleted: its groups stay/,
  ],
  ["terminating", crd({}, condition("Established"), condition("Terminating")), /is being deleted/],
  ["missing", undefined, /HTTP 404/],
];
for (const [what, definition, refusal] of CASES) {
  t.test(`a CustomResourceDefinition that is ${what}`, async (t) => {
    const api = new ApiServer(new VirtualClock());
    if (definition !== undefined) api.single.set(PATH, definition);
    const asked = requireEstablished(api, NAME, new AbortController().signal);
    if (refusal === undefined) await t.resolves(asked);
    else await t.rejects(asked, { kind: "not-found", message: refusal });
  });
}
