/** A kind of object that the server serves. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** `status` is written by its own path only. */
  readonly statusSubresource: boolean;
  /** A PUT without a resourceVersion is refused (the real server's AllowUnconditionalUpdate). */
  readonly conditionalUpdate: boolean;
  /** Served while a CustomResourceDefinition of it exists. */
  readonly custom: boolean;
}

/** `pods`, `leases.coordination.k8s.io` */
export const idOf = ({ group, plural }: Pick<Resource, "group" | "plural">): string =>
  group === "" ? plural : `${plural}.${group}`;

export const apiVersionOf = ({ group, version }: Resource): string =>
  group === "" ? version : `${group}/${version}`;

function builtIn(
  group: string,
  plural: string,
  kind: string,
  traits: Partial<Pick<Resource, "namespaced" | "statusSubresource" | "conditionalUpdate">> = {},
): Resource {
  return {
    group,
    version: "v1",
    plural,
    kind,
    namespaced: true,
    statusSubresource: false,
    conditionalUpdate: false,
    custom: false,
    ...traits,
  };
}

const cluster = { namespaced: false, statusSubresource: true } as const;

export const PODS = builtIn("", "pods", "Pod", { statusSubresource: true });
export const NODES = builtIn("", "nodes", "Node", cluster);
export const NAMESPACES = builtIn("", "namespaces", "Namespace", cluster);
export const CRDS = builtIn(
  "apiextensions.k8s.io",
  "customresourcedefinitions",
  "CustomResourceDefinition",
  cluster,
);

export const BUILT_IN: readonly Resource[] = [
  PODS,
  NODES,
  NAMESPACES,
  CRDS,
  builtIn("", "events", "Event"),
  builtIn("events.k8s.io", "events", "Event"),
  builtIn("coordination.k8s.io", "leases", "Lease", { conditionalUpdate: true }),
];
