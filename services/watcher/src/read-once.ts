import type { Clock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { sayIfLong } from "@podgate/shared/runtime/long-wait";
import type { Random } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";
import type { KubernetesErrorKind, KubernetesTransport } from "./kubernetes/transport.ts";
import { ClusterSource } from "./publish/cluster-source.ts";
import { staticGroups } from "./static-groups.ts";

export interface ReadOncePorts {
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly random: Random;
  /** To the person who waits for it. */
  readonly say: (line: string) => void;
}

interface Trouble {
  readonly kind: KubernetesErrorKind;
  readonly message: string;
}

const READ_MS = 30_000;
const SEE = "podgate-watcher check says what is missing";
/** Answers that stay the same until somebody changes something: a service asks again, a person is told. */
const REFUSALS: ReadonlySet<KubernetesErrorKind> = new Set(["unauthorized", "forbidden", "not-found"]);

/**
 * Reads the cluster as the watcher does, until everything was listed, and publishes nothing.
 *
 * @param use what is made of it, while it is fresh
 * @throws UserError at once where the API server refuses, after 30 s where it does not answer
 */
export async function readOnce<T>(
  configuration: Configuration,
  { transport, clock, random, say }: ReadOncePorts,
  use: (source: ClusterSource) => T,
): Promise<T> {
  const troubles = new Map<string, Trouble>();
  const said = new Set<KubernetesErrorKind>();
  const end = new AbortController();
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  /** Of every resource that was not listed; undefined while one of them may still be. */
  const refusals = (): readonly Trouble[] | undefined => {
    const stale = source.stale();
    const refused = stale.flatMap((resource) => troubles.get(resource) ?? []);
    const isFinal = refused.length === stale.length && refused.every(({ kind }) => REFUSALS.has(kind));
    return isFinal ? refused : undefined;
  };
  const look = (): void => {
    if (refusals() !== undefined) decide();
  };
  const source = new ClusterSource({
    transport,
    clock,
    random,
    logger: silentLogger,
    staticGroups: staticGroups(configuration),
    customResources: configuration.kubernetes.customResources,
    onError: (resource, kind, message) => {
      troubles.set(resource, { kind, message });
      look();
      if (REFUSALS.has(kind) || said.has(kind)) return;
      said.add(kind);
      say(`trying again for up to ${READ_MS / 1000} s: ${message}`);
    },
    onRejectedAddress: () => undefined,
  });
  source.onChange(look);
  const running = source.run("", () => undefined, end.signal);
  const late = clock.sleep(READ_MS, end.signal).catch(() => undefined);
  try {
    const waitedFor = (): string => `the API server: ${source.stale().join(", ")}`;
    await sayIfLong(waitedFor, { clock, say }, Promise.race([decided, running, late]));
    if (source.fresh) return use(source);
    throw new UserError(whyNot(refusals(), source.stale(), troubles));
  } finally {
    end.abort();
    await running;
  }
}

function whyNot(
  refusals: readonly Trouble[] | undefined,
  stale: readonly string[],
  troubles: ReadonlyMap<string, Trouble>,
): string {
  if (refusals === undefined) {
    const causes = stale.map((resource) => `${resource}: ${troubles.get(resource)?.kind ?? "no answer"}`);
    return `the cluster could not be read within ${READ_MS / 1000} s (${causes.join(", ")}): ${SEE}`;
  }
  // Who is not known at all is told the same of every resource.
  const all = refusals.some(({ kind }) => kind === "unauthorized") ? refusals.slice(0, 1) : refusals;
  return `the cluster cannot be read: ${SEE}\n${all.map(({ message }) => `  ${message}`).join("\n")}`;
}
