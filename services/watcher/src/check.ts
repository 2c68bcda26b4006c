import { systemClock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import { sayIfLong } from "@podgate/shared/runtime/long-wait";
import { checkKubernetes } from "./check-kubernetes.ts";
import { checkNats } from "./check-nats.ts";
import { failed, ok, skipped, type Row } from "@podgate/shared/runtime/check-row";
import type { Configuration } from "./configuration.ts";
import { busOf } from "./connections.ts";
import { kubeConfig } from "./kubernetes/cluster.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";

const KUBERNETES_MS = 20_000;

/**
 * Everything that must be right before the watcher can work, tried without changing anything.
 *
 * @param say what it waits for, while it waits
 */
export async function check(load: () => Configuration, say: (line: string) => void): Promise<Row[]> {
  let configuration: Configuration;
  try {
    configuration = load();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [
      failed("configuration", error.message, "correct the fields named"),
      skipped("API server", "no configuration"),
      skipped("NATS", "no configuration"),
    ];
  }
  const rows = [ok("configuration", `cluster ${configuration.cluster}`)];
  let transport: UndiciTransport | undefined;
  let uid: string | undefined;
  try {
    transport = new UndiciTransport(kubeConfig(configuration.kubernetes));
    const found = await sayIfLong(
      () => `the API server, up to ${KUBERNETES_MS / 1000} s`,
      { clock: systemClock, say },
      checkKubernetes(configuration, transport, AbortSignal.timeout(KUBERNETES_MS)),
    );
    rows.push(...found.rows);
    uid = found.clusterUid;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    rows.push(failed("kubeconfig", error.message, "name a kubeconfig that can be read"));
  } finally {
    await transport?.close();
  }
  const troubles: string[] = [];
  const bus = busOf(configuration, (message) => troubles.push(message));
  try {
    const {
      cluster,
      nats: { servers },
    } = configuration;
    const given = { bus, clock: systemClock, cluster, clusterUid: uid, troubles, servers, say };
    rows.push(...(await checkNats(given)));
  } finally {
    await bus.close();
  }
  return rows;
}
