import type { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { PodItem } from "@podgate/kubernetes-simulator/pod-item";
import type { Pod } from "@podgate/kubernetes-simulator/pod";
import { NAMESPACES, NODES, PODS } from "@podgate/kubernetes-simulator/resource";
import { definitionsOf, selects, type Definition, type Labels } from "./definitions.ts";

export interface Owner {
  readonly cluster: string;
  readonly uid: string;
  /** As they were then. */
  readonly labels: string;
}

/** An address of one group, and how surely it belongs there. */
export interface Belonging {
  /** True: it must be a member. False: it may be one, or not. */
  readonly must: boolean;
  /** Pods because of which. */
  readonly owners: readonly Owner[];
  /** The definition of the group, as text: another one is another reason to belong. */
  readonly basis: string;
}

/** Group as the user named it (`web`, `shop.front`) → address → belonging. */
export type Belongings = ReadonlyMap<string, ReadonlyMap<string, Belonging>>;

interface Node {
  readonly internal: readonly string[];
  readonly external: readonly string[];
}

/** How long ago a pod was seen to be deleted: milliseconds of the world, and of those the ones without faults. */
export interface Ending {
  readonly ms: number;
  readonly healthyMs: number;
  /** Addresses that another pod had meanwhile: they are not its own again when that one is gone. Added to here. */
  readonly yielded: Set<string>;
}

/** How long a pod that was deleted and of which nothing more is heard may count beyond its grace: milliseconds. */
const MARGIN = 10_000;

/**
 * What the groups of a cluster hold by what its API server has stored now, worked out from nothing each time. The
 * rules are those of the documentation, in code of their own.
 *
 * A pod counts while it has an address, is not on the host's network and has not finished. One that is being deleted
 * counts until its containers have stopped; if they never say so it must count for its grace, and may for `MARGIN`
 * beyond that. If another pod has its address by then, it may be left out.
 *
 * @param endingOf a pod that is being deleted, by its uid
 * @param lacking lists lack what is there, since these were the nodes: of two pods with one address the one that is listed
 * seems to have taken it over, and a list that is as long as before by nodes that came since seems whole
 */
export function belongingsOf(
  cluster: string,
  api: ApiServer,
  endingOf: (uid: string) => Ending,
  lacking?: ReadonlySet<string>,
): Belongings {
  const namespaces = new Map<string, Labels>();
  for (const item of api.store.list(NAMESPACES)) {
    const { metadata } = JSON.parse(item.json(true)) as { metadata: { name: string; labels?: Labels } };
    namespaces.set(metadata.name, metadata.labels ?? {});
  }
  const nodes = nodesOf(api);
  const isLengthened = lacking !== undefined && [...nodes.keys()].some((name) => !lacking.has(name));
  const pods = podsOf(api);
  const holders = new Map<string, number>();
  for (const pod of pods)
    if (!pod.hostNetwork && runs(pod, endingOf) !== "no")
      for (const address of pod.addresses) holders.set(address, (holders.get(address) ?? 0) + 1);

  const result = new Map<string, Map<string, Belonging>>();
  for (const definition of definitionsOf(api)) {
    const members = new Map<string, Belonging>();
    const basis = JSON.stringify(definition);
    result.set(definition.group, members);
    for (const pod of pods) {
      const verdict = runs(pod, endingOf);
      if (verdict === "no" || !selects(definition, pod, namespaces.get(pod.namespace))) continue;
      for (const address of addressesOf(definition, pod, nodes)) {
        const isShared = (holders.get(address) ?? 0) > 1;
        const { yielded } = endingOf(pod.uid);
        if (isShared && pod.deletion !== undefined) yielded.add(address);
        const isOpen =
          definition.source === "Node"
            ? isLengthened
            : yielded.has(address) || (isShared && lacking !== undefined);
        const must = verdict === "yes" && !isOpen;
        const others = members.get(address);
        const owner = { cluster, uid: pod.uid, labels: JSON.stringify(pod.labels) };
        const owners = [...(others?.owners ?? []), owner];
        members.set(address, { must: must || others?.must === true, owners, basis });
      }
    }
  }
  return result;
}

/**
 * Does one of these pods still run, nobody having told it to end, with this address or on a node that has it?
 * @param isUntouched only those count whose own labels are what they were
 */
export function isAlive(
  api: ApiServer,
  owners: readonly Owner[],
  address: string,
  isUntouched = false,
): boolean {
  const nodes = nodesOf(api);
  return podsOf(api).some(({ uid, deletion, phase, addresses, nodeName, labels }) => {
    const owner = owners.find((each) => each.uid === uid);
    if (owner === undefined || deletion !== undefined || phase !== "Running") return false;
    if (isUntouched && owner.labels !== JSON.stringify(labels)) return false;
    const node = nodes.get(nodeName);
    return addresses.includes(address) || node?.internal.includes(address) === true;
  });
}

/** Their names. */
export const nodesIn = (api: ApiServer): Set<string> => new Set(nodesOf(api).keys());

const podsOf = (api: ApiServer): Pod[] =>
  api.store.list(PODS).flatMap((item) => (item instanceof PodItem ? [item.pod] : []));

function nodesOf(api: ApiServer): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const item of api.store.list(NODES)) {
    const { metadata, status } = JSON.parse(item.json(true)) as {
      metadata: { name: string };
      status?: { addresses?: { type: string; address: string }[] };
    };
    const of = (type: string): string[] =>
      (status?.addresses ?? []).filter((each) => each.type === type).map(({ address }) => address);
    nodes.set(metadata.name, { internal: of("InternalIP"), external: of("ExternalIP") });
  }
  return nodes;
}

function runs(pod: Pod, endingOf: (uid: string) => Ending): "yes" | "maybe" | "no" {
  if (pod.phase === "Succeeded" || pod.phase === "Failed") return "no";
  if (pod.deletion === undefined) return "yes";
  if (pod.container === "terminated") return "no";
  const grace = pod.deletion.graceSeconds * 1000;
  const { ms, healthyMs } = endingOf(pod.uid);
  if (ms < grace) return "yes";
  return healthyMs < grace + MARGIN ? "maybe" : "no";
}

function addressesOf(
  { source, nodeAddressType }: Definition,
  pod: Pod,
  nodes: ReadonlyMap<string, Node>,
): readonly string[] {
  if (source === "Pod") return pod.hostNetwork ? [] : pod.addresses;
  const node = nodes.get(pod.nodeName);
  return (nodeAddressType === "InternalIP" ? node?.internal : node?.external) ?? [];
}
