import type { Test } from "tap";
import { quantiles } from "../bench/quantiles.ts";
import { group } from "../packaging/manifests.ts";
import { judge } from "../scenarios/judge.ts";
import { ClusterRecord } from "../scenarios/record.ts";
import type { Firewall } from "../stack/firewall.ts";
import { membershipHistory } from "../stack/history.ts";
import type { KubernetesClient } from "../stack/kubernetes-client.ts";
import { until } from "../stack/until.ts";
import { Churn } from "./churn.ts";
import { Rollouts } from "./rollouts.ts";

/** A name of the group, of the namespace and of the pods' label. */
const CHURN = "churn";
/** Pods that come and pods that go. */
const PER_SECOND = 20;
const STANDING = 10;
const PASSING = 90;
/** After an orderly stop the next watcher leads at once: it asks every 2 s, then claims and lists. */
const BOUND_MS = 5000;

export interface UnderChurnOptions {
  readonly client: KubernetesClient;
  readonly firewall: Firewall;
  /** Where the services are installed. */
  readonly namespace: string;
  /** First three numbers of the addresses of pods that come and go; the namespace `churn` has to be there. */
  readonly network: string;
}

/**
 * Rolls pods of the services while pods of a group come and go, and judges every entry of the firewall's log and every
 * state of the Deployments. The group and the pods that are there at the end stay.
 *
 * @param steps in order, each with what it is called
 */
export async function underChurn(
  t: Test,
  { client, firewall, namespace, network }: UnderChurnOptions,
  steps: readonly (readonly [string, () => Promise<void>])[],
): Promise<void> {
  const record = await new ClusterRecord(client).ready();
  const from = firewall.simulator.log().at(-1)?.id ?? 0;
  await client.apply(group(CHURN, CHURN));
  const churn = await Churn.populate({
    client,
    namespace: CHURN,
    app: CHURN,
    network,
    standing: STANDING,
    passing: PASSING,
  });
  let told = "";
  const isEqual = (): Promise<true> =>
    until(
      () => `the group to hold what is there: ${told}`,
      async () => {
        const members = (await firewall.members(CHURN)) ?? [];
        const { status } = await client.get(group(CHURN, CHURN));
        told = `${churn.addresses.join()}; it holds ${members.join()}; ${JSON.stringify(status)}`;
        return members.join() === churn.addresses.join() || undefined;
      },
    );
  await isEqual();
  const rollouts = await new Rollouts(client, namespace).ready();
  const begun = Date.now();
  churn.begin(PER_SECOND);
  for (const [what, step] of steps) {
    const since = performance.now();
    await step();
    t.comment(`${what} within ${((performance.now() - since) / 1000).toFixed(1)} s`);
  }
  const { events, ms } = await churn.stop();
  const perSecond = (events * 1000) / ms;
  t.comment(`${events} pods came or went, ${perSecond.toFixed(1)} a second`);
  t.ok(perSecond > PER_SECOND * 0.9, "as many as wanted");
  await isEqual();
  await record.stop();

  const { wrong, lateAdditions, lateRemovals } = judge(
    CHURN,
    record.sightings(CHURN, "ipv4"),
    () => true,
    membershipHistory(firewall, CHURN),
    { boundMs: BOUND_MS, until: Date.now(), since: begun },
  );
  t.strictSame(wrong, [], "no member is wrong");
  t.comment(`removals ${words(lateRemovals)}; additions ${words(lateAdditions)}`);
  const writes = firewall.writes(from);
  t.comment(`${writes.length} writes`);
  const inWords = (found: typeof writes): string[] =>
    found.map(({ method, path, status, body }) => `${method} ${path} ${status} ${JSON.stringify(body)}`);
  t.strictSame(
    inWords(writes.filter(({ status, changed }) => status !== 200 || !changed)),
    [],
    "every write changed something",
  );
  const ours = (text: string): boolean => text.includes(CHURN) || text.includes(`${network}.`);
  t.strictSame(
    inWords(writes.filter(({ path, body }) => !ours(path + JSON.stringify(body)))),
    [],
    "nothing was written for a group whose pods stayed",
  );
  for (const { deployment, mayBeMissing, missed, missedMs, startsMs, lapsed } of await rollouts.stop()) {
    t.ok(missed <= mayBeMissing, `${deployment}: ${missed} were missing, ${mayBeMissing} may be`);
    t.equal(startsMs.length, steps.length, "each of both pods was replaced by each of its steps");
    t.strictSame(lapsed, [], "no pod was unready before its end");
    const starts = startsMs.map((each) => (each / 1000).toFixed(1)).join(", ");
    t.comment(
      `${deployment}: new pods ready after ${starts} s; for ${missedMs.toFixed(0)} ms fewer than wanted`,
    );
  }
}

function words(ms: readonly number[]): string {
  const { count, p50, p99, max } = quantiles(ms);
  return `${count}, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}
