/** What is kept of a node. Several InternalIPs are usual (dual-stack, several interfaces). */
export interface NodeFact {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical addresses of `status.addresses` by type. */
  readonly internal: readonly string[];
  readonly external: readonly string[];
  readonly resourceVersion: string;
}
