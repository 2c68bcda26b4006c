import { KubernetesError, kindOf } from "./transport.ts";

/** One line of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: unknown;
  /** resourceVersion of the object. */
  readonly version: string;
  /** The bookmark behind the last object of a streamed list. */
  readonly endsInitial: boolean;
}

interface Wire {
  readonly type?: unknown;
  readonly object?: {
    readonly code?: number;
    readonly message?: string;
    readonly metadata?: {
      readonly resourceVersion?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
}

/** KEP-3157; seen with Kubernetes 1.37.2. */
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** @throws KubernetesError `parse`, or what an ERROR event says: 410 and others come inside HTTP 200 */
export function readWatchEvent(line: string): WatchEvent {
  let wire: Wire | null;
  try {
    wire = JSON.parse(line) as Wire | null;
  } catch {
    throw new KubernetesError("parse", "a watch event that is not JSON");
  }
  const { type, object } = wire ?? {};
  if (type === "ERROR")
    throw new KubernetesError(kindOf(object?.code ?? 500), object?.message ?? "watch error");
  const version = object?.metadata?.resourceVersion;
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK")
    throw new KubernetesError("parse", `a watch event of type ${JSON.stringify(type)}`);
  if (typeof version !== "string" || version === "")
    throw new KubernetesError("parse", `a watch event of type ${type} without a resourceVersion`);
  return {
    type,
    object,
    version,
    endsInitial: object?.metadata?.annotations?.[INITIAL_EVENTS_END] === "true",
  };
}
