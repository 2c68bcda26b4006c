import { readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";
import { configurationSchema, type Configuration } from "../src/configuration.ts";
import { rightsOf } from "../src/rights.ts";

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const FILES = new URL("../../../charts/podgate-watcher/files/", import.meta.url);
const rulesIn = (file: string): Rule[] => parse(readFileSync(new URL(file, FILES), "utf8")) as Rule[];

function configuration(rest: object = {}): Configuration {
  return configurationSchema.parse({
    cluster: "east",
    nats: { servers: ["nats://127.0.0.1:4222"] },
    ...rest,
  });
}

/** Each verb on each resource by itself: `group/resource name verb`. */
const grants = (rules: Rule[]): string[] =>
  rules
    .flatMap(({ apiGroups, resources, resourceNames = [""], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) => verbs.map((verb) => `${group}/${resource} ${name} ${verb}`)),
        ),
      ),
    )
    .toSorted();

const uses = (namespaced: boolean): string[] =>
  rightsOf(configuration())
    .filter(({ namespace }) => (namespace !== undefined) === namespaced)
    .flatMap(({ group, resource, name = "", verbs }) =>
      verbs.map((verb) => `${group}/${resource} ${name} ${verb}`),
    )
    .toSorted();

t.test("the chart's cluster role grants exactly what the watcher uses in the whole cluster", async (t) => {
  t.strictSame(grants(rulesIn("cluster-role-rules.yaml")), uses(false));
});

t.test("the chart's role grants exactly what the watcher uses in its own namespace", async (t) => {
  t.strictSame(grants(rulesIn("role-rules.yaml")), uses(true));
});

t.test("no rule reaches Secrets, ConfigMaps or everything", async (t) => {
  for (const grant of [...grants(rulesIn("cluster-role-rules.yaml")), ...grants(rulesIn("role-rules.yaml"))])
    t.notMatch(grant, /secrets|configmaps|\*/);
});

t.test("without custom resources nothing of them is asked for", async (t) => {
  const rights = rightsOf(configuration({ kubernetes: { customResources: false } }));
  t.notOk(rights.some(({ group }) => group === "podgate.dev" || group === "apiextensions.k8s.io"));
});
