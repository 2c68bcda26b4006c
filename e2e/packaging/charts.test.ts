import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { configurationSchema as pusherSchema } from "@podgate/pusher/configuration";
import { configurationSchema as watcherSchema } from "@podgate/watcher/configuration";
import t from "tap";
import { parse } from "yaml";
import { skipWithout } from "../tools/tool.ts";
import { chartFolder, CHARTS, configurationIn, Helm, theOne, valuesFilesOf, type Chart } from "./helm.ts";

const skip = skipWithout("helm");
const helm = skip === false ? await Helm.open() : undefined;
t.teardown(() => helm?.close());
const open = (): Helm => helm as Helm;

const SCHEMAS = { "podgate-watcher": watcherSchema, "podgate-pusher": pusherSchema };
const smallest = (chart: Chart): string => join(chartFolder(chart), "ci", "smallest-values.yaml");

const withoutValues = (chart: Chart): string => open().run("template", "x", chartFolder(chart)).stderr;

/** A block that says whose values it has. */
const VALUES = /^```yaml\n# values of (\S+)\n([^]*?)^```/gm;

interface Container {
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly args: readonly string[];
  readonly image: string;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

t.test("every pod that a chart makes is under its network policy", { skip }, (t) => {
  for (const chart of CHARTS) {
    const objects = open().render(chart, join(chartFolder(chart), "ci", "everything-values.yaml"));
    const { podSelector, policyTypes } = theOne(objects, "NetworkPolicy")["spec"] as Policy;
    t.strictSame(policyTypes, ["Ingress", "Egress"], "nothing is allowed but what it names");
    const makers = objects.filter(({ kind }) => kind === "Deployment" || kind === "Job");
    t.equal(makers.length, chart === "podgate-watcher" ? 2 : 1);
    for (const maker of makers) {
      const { labels } = (maker as unknown as Deployment).spec.template.metadata;
      t.match(labels, podSelector.matchLabels, `${chart} ${maker.kind}`);
      for (const { key, values } of podSelector.matchExpressions)
        t.ok(values.includes(labels[key] ?? ""), `${chart} ${maker.kind}: ${key}`);
    }
  }
  t.end();
});

t.test("every set of values in ci/ passes the strict lint", { skip }, (t) => {
  for (const chart of CHARTS)
    for (const file of valuesFilesOf(chart)) {
      const { code, stdout } = open().run("lint", "--strict", chartFolder(chart), "--values", file);
      t.equal(code, 0, `${chart} ${basename(file)}: ${stdout}`);
    }
  t.end();
});

t.test("what is rendered as the service's configuration is one that the service takes", { skip }, (t) => {
  for (const chart of CHARTS)
    for (const file of valuesFilesOf(chart)) {
      const { error } = SCHEMAS[chart].safeParse(configurationIn(open().render(chart, file)));
      t.equal(error?.message, undefined, `${chart} ${basename(file)}`);
    }
  t.end();
});

t.test(
  "every file that the configuration names is mounted, and every mount has its volume",
  { skip },
  (t) => {
    for (const chart of CHARTS)
      for (const file of valuesFilesOf(chart)) {
        const objects = open().render(chart, file);
        const { containers, volumes } = podOf(objects);
        const mounts = containers[0]?.volumeMounts ?? [];
        for (const path of filesIn(configurationIn(objects)))
          t.ok(
            mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`)),
            `${chart} ${basename(file)}: ${path}`,
          );
        for (const { name } of mounts)
          t.ok(
            volumes.some((volume) => volume.name === name),
            `${chart} ${basename(file)}: volume ${name}`,
          );
      }
    t.end();
  },
);

t.test("pods are as Pod Security restricted wants them, and only the watcher gets a token", { skip }, (t) => {
  for (const chart of CHARTS) {
    const pod = podOf(open().render(chart, smallest(chart)));
    t.match(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    t.match(pod.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    t.equal(pod.automountServiceAccountToken, chart === "podgate-watcher");
  }
  t.end();
});

/** `--set targets[0].…` replaces the whole list of the file. */
const TARGET =
  "targets[0].name=fw,targets[0].url=https://fw1.example,targets[0].token.existingSecret=fw,routes[0].targets={fw},routes[0].clusters={prod-eu},routes[0].groups={*}";

const REFUSED: readonly [Chart, string, RegExp][] = [
  ["podgate-watcher", "cluster=Prod_EU", /'?\/?cluster'?: .*does not match pattern/],
  ["podgate-watcher", "clustr=x", /additional properties 'clustr' not allowed/],
  ["podgate-watcher", "replicaCount=two", /replicaCount.*got string, want integer/],
  ["podgate-watcher", "nats.credential=kerberos", /nats\/credential.*must be one of 'password'/],
  ["podgate-watcher", "logLevel=loud", /logLevel.*must be one of/],
  ["podgate-watcher", "config.heartbeatSeconds=0", /config\/heartbeatSeconds.*minimum/],
  ["podgate-watcher", "config.hartbeatSeconds=2", /config.*additional properties 'hartbeatSeconds'/],
  ["podgate-watcher", "config.cluster=other", /config.*additional properties 'cluster'/],
  ["podgate-watcher", "image.digest=latest", /image\/digest.*does not match pattern/],
  [
    "podgate-watcher",
    "nats.servers={nats://nats.example:4222}",
    /nats:\/\/nats\.example:4222 is not encrypted; use tls:/,
  ],
  ["podgate-watcher", "nats.value=x", /nats\.value: given beside nats\.existingSecret/],
  ["podgate-pusher", "install=Prod!", /install.*does not match pattern/],
  ["podgate-pusher", "targets[0].mod=observe", /targets\/0.*additional properties 'mod'/],
  ["podgate-pusher", "targets[0].tokenFile=x", /targets\/0.*additional properties 'tokenFile'/],
  [
    "podgate-pusher",
    "targets[0].url=http://fw1.example",
    /targets\[0\]\.url: .*would carry the token in clear; use https/,
  ],
  [
    "podgate-pusher",
    "targets[0].token.existingSecret=",
    /targets\[0\]\.token\.existingSecret: empty; name the Secret/,
  ],
  ["podgate-pusher", "streamReplicas=2", /streamReplicas.*must be one of/],
];

t.test("values that are wrong are refused, by name and with what to give instead", { skip }, (t) => {
  for (const [chart, setting, message] of REFUSED) {
    const target = chart === "podgate-pusher" ? ["--set", TARGET] : [];
    const args = ["--values", smallest(chart), ...target, "--set", setting];
    const { code, stderr } = open().run("template", "x", chartFolder(chart), ...args);
    t.not(code, 0, setting);
    t.match(stderr, message, setting);
  }
  t.end();
});

t.test("all that is missing is named at once", { skip }, (t) => {
  const watcher = withoutValues("podgate-watcher");
  for (const field of ["cluster", "nats.servers", "nats.existingSecret"])
    t.match(watcher, `\n${field}: empty; `);
  const pusher = withoutValues("podgate-pusher");
  for (const field of ["install", "clusters", "targets", "routes", "nats.servers", "nats.user"])
    t.match(pusher, `\n${field}: empty; `);
  t.end();
});

t.test("a changed configuration starts new pods, an unchanged one none", { skip }, (t) => {
  for (const chart of CHARTS) {
    const checksum = (...args: string[]): unknown => {
      const { spec } = theOne(
        open().render(chart, smallest(chart), ...args),
        "Deployment",
      ) as unknown as Deployment;
      return spec.template.metadata.annotations["checksum/config"];
    };
    t.equal(checksum(), checksum("--set", "podLabels.a=b"));
    t.not(checksum(), checksum("--set", "logLevel=debug"));
  }
  t.end();
});

t.test("without encryption nothing is rendered unless it is asked for", { skip }, (t) => {
  for (const chart of CHARTS) {
    const text = JSON.stringify(configurationIn(open().render(chart, smallest(chart))));
    t.notMatch(text, /nats:\/\/|http:\/\//);
  }
  t.end();
});

t.test("a secret given as a value stands in the Secret only", { skip }, (t) => {
  for (const chart of CHARTS) {
    const objects = open().render(chart, join(chartFolder(chart), "ci", "trial-values.yaml"));
    const { Secret: secrets = [], ...others } = Object.groupBy(objects, ({ kind }) => kind);
    const encoded = Buffer.from("only-for-a-trial").toString("base64");
    t.ok(JSON.stringify(secrets).includes(encoded));
    t.notOk(JSON.stringify(others).includes("only-for-a-trial"));
    t.notOk(JSON.stringify(others).includes(encoded));
  }
  t.end();
});

t.test("definitions are part of the chart and stay when it is uninstalled", { skip }, (t) => {
  const objects = open().render("podgate-watcher", smallest("podgate-watcher"));
  const definitions = objects.filter(({ kind }) => kind === "CustomResourceDefinition");
  t.same(definitions.map(({ metadata }) => metadata.name).toSorted(), [
    "addressgroups.podgate.dev",
    "clusteraddressgroups.podgate.dev",
  ]);
  for (const { metadata } of definitions)
    t.match(metadata["annotations"], { "helm.sh/resource-policy": "keep" });
  t.end();
});

t.test("values in the documentation render to a configuration that the service takes", { skip }, (t) => {
  let found = 0;
  for (const page of globSync(["docs/*.md", "charts/*/README.md"]))
    for (const [, chart, values = ""] of readFileSync(page, "utf8").matchAll(VALUES)) {
      const named = CHARTS.find((each) => each === chart);
      if (named === undefined) continue;
      found += 1;
      const objects = open().render(named, open().values(parse(values) as object));
      const { error } = SCHEMAS[named].safeParse(configurationIn(objects));
      t.equal(error?.message, undefined, `${page}: ${chart}`);
    }
  t.ok(found >= 3);
  t.end();
});

t.test("both charts share one file of templates", (t) => {
  const [watcher, pusher] = CHARTS.map((chart) =>
    readFileSync(join(chartFolder(chart), "templates", "_podgate.tpl"), "utf8"),
  );
  t.equal(watcher, pusher);
  t.end();
});

interface Policy {
  readonly podSelector: {
    readonly matchLabels: Readonly<Record<string, string>>;
    readonly matchExpressions: readonly {
      readonly key: string;
      readonly operator: "In";
      readonly values: readonly string[];
    }[];
  };
  readonly policyTypes: readonly string[];
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: {
        readonly annotations: Readonly<Record<string, string>>;
        readonly labels: Readonly<Record<string, string>>;
      };
      readonly spec: PodSpec;
    };
  };
}

function podOf(objects: Parameters<typeof theOne>[0]): PodSpec {
  return (theOne(objects, "Deployment") as unknown as Deployment).spec.template.spec;
}

/** Every value of a field `…File`. */
function filesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key.endsWith("File") && typeof value === "string" ? [value] : filesIn(value),
  );
}
