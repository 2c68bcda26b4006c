import type { Configuration } from "./configuration.ts";
import { failed, ok, skipped, type Row } from "@podgate/shared/runtime/check-row";
import { readAskedPhase } from "./kubernetes/asked-phase.ts";
import { clusterUid } from "./kubernetes/cluster.ts";
import { requireEstablished } from "./kubernetes/established.ts";
import { ADDRESS_GROUPS_CRD, CLUSTER_ADDRESS_GROUPS_CRD } from "./kubernetes/resources.ts";
import {
  KubernetesError,
  requestJson,
  type KubernetesErrorKind,
  type KubernetesTransport,
} from "./kubernetes/transport.ts";
import { rightsOf, type Right } from "./rights.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const ROLES =
  "grant it: the chart podgate-watcher does, from its files cluster-role-rules.yaml and role-rules.yaml";

/** The API server, what the watcher may do there, and its definitions. Nothing is changed. */
export async function checkKubernetes(
  configuration: Configuration,
  transport: KubernetesTransport,
  signal: AbortSignal,
): Promise<{ readonly rows: Row[]; readonly clusterUid: string | undefined }> {
  const server = await serverRow(transport, signal);
  if (server.result === "failed") {
    const rest = ["cluster", "rights", "definitions"].map((check) =>
      skipped(check, "the API server was not reached"),
    );
    return { rows: [server, ...rest], clusterUid: undefined };
  }
  const rows = [server];
  let uid: string | undefined;
  try {
    uid = await clusterUid(transport, signal);
    rows.push(ok("cluster", `${configuration.cluster}, uid ${uid}`));
  } catch (error) {
    rows.push(
      failed("cluster", wordsOf(error), "let it read the namespace kube-system, whose uid names the cluster"),
    );
  }
  rows.push(...(await phaseRows(configuration, transport, signal)));
  for (const right of rightsOf(configuration)) rows.push(await rightRow(transport, right, signal));
  if (configuration.kubernetes.customResources) {
    for (const name of [CLUSTER_ADDRESS_GROUPS_CRD, ADDRESS_GROUPS_CRD])
      rows.push(await definitionRow(transport, name, signal));
  }
  return { rows, clusterUid: uid };
}

const NETWORK = "check the server's address in the kubeconfig, its CA, and the network in between";
const FIXES: Partial<Record<KubernetesErrorKind, string>> = {
  unreachable: NETWORK,
  aborted: NETWORK,
  unauthorized: "give a kubeconfig whose token or certificate the API server accepts",
  forbidden: "let the account read /version (the role system:public-info-viewer)",
};

async function serverRow(transport: KubernetesTransport, signal: AbortSignal): Promise<Row> {
  try {
    const version = await requestJson(transport, { method: "GET", path: "/version", signal });
    const git =
      typeof version === "object" && version !== null && "gitVersion" in version ? version.gitVersion : "";
    return ok("API server", `answers, version ${String(git)}`);
  } catch (error) {
    const kind = error instanceof KubernetesError ? error.kind : "server";
    return failed("API server", wordsOf(error), FIXES[kind] ?? "look into the API server's log");
  }
}

/** Only where an operator asked for another one; who may not read the Lease is told so with the rights. */
async function phaseRows(
  { lease }: Configuration,
  transport: KubernetesTransport,
  signal: AbortSignal,
): Promise<Row[]> {
  const asked = await readAskedPhase(transport, lease, signal).catch(() => "synced");
  if (asked === "synced") return [];
  const found = `${asked} was asked for (Lease ${lease.namespace}/${lease.name})`;
  return [{ check: "phase", result: "warn", found, fix: "podgate-watcher resume ends it" }];
}

async function rightRow(transport: KubernetesTransport, right: Right, signal: AbortSignal): Promise<Row> {
  const { verbs, group, resource, name, namespace } = right;
  const where = [
    ...(name === undefined ? [] : [` ${name}`]),
    ...(namespace === undefined ? [] : [` in namespace ${namespace}`]),
  ].join("");
  const check = `${verbs.join(", ")} ${resource}${where}`;
  try {
    const denied: string[] = [];
    for (const verb of verbs) if (!(await allowed(transport, right, verb, signal))) denied.push(verb);
    if (denied.length === 0) return ok(check, "allowed");
    const api = group === "" ? "core API" : `API group ${group}`;
    return failed(check, `denied: ${denied.join(", ")} (${api})`, ROLES);
  } catch (error) {
    return failed(check, wordsOf(error), "let the account ask what it may do (the role system:basic-user)");
  }
}

async function allowed(
  transport: KubernetesTransport,
  { group, resource, name, namespace }: Right,
  verb: string,
  signal: AbortSignal,
): Promise<boolean> {
  const [plural, subresource] = resource.split("/");
  const resourceAttributes = { group, resource: plural, subresource, verb, name, namespace };
  const body = JSON.stringify({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  });
  const review = await requestJson(transport, { method: "POST", path: REVIEWS, body, signal });
  return (review as { status?: { allowed?: boolean } }).status?.allowed === true;
}

async function definitionRow(
  transport: KubernetesTransport,
  name: string,
  signal: AbortSignal,
): Promise<Row> {
  try {
    await requireEstablished(transport, name, signal);
    return ok(name, "established");
  } catch (error) {
    const missing = error instanceof KubernetesError && error.kind === "not-found";
    return failed(
      name,
      wordsOf(error),
      missing
        ? "install the chart's definitions (files/crds), or set kubernetes.customResources: false"
        : ROLES,
    );
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof KubernetesError)) return "failed";
  return error.kind === "aborted" ? "no answer in time" : error.message;
}
