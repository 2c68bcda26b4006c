/** A Kubernetes label selector (`metav1.LabelSelector`), already checked. An empty one matches everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** One valid address group definition, wherever it came from. */
export interface GroupDefinition {
  /** The group as the bus names it: name, `spec.groupName`, or `namespace/name`. */
  readonly group: string;
  readonly source: {
    readonly kind: "ClusterAddressGroup" | "AddressGroup" | "Static";
    readonly namespace?: string;
    readonly name: string;
    readonly uid: string;
    /** Milliseconds since 1970; "older wins" between two that claim one group. */
    readonly createdAt: number;
    readonly generation: number;
  };
  /** `pod`: the pods' own addresses. `node`: addresses of the nodes that host a matching pod. */
  readonly addresses: "pod" | "node";
  readonly nodeAddressType: "InternalIP" | "ExternalIP";
  readonly podSelector: LabelSelector;
  /** Undefined = all namespaces (ClusterAddressGroup without one). */
  readonly namespaceSelector?: LabelSelector;
  /** Set for an AddressGroup: only its own namespace. */
  readonly onlyNamespace?: string;
}
