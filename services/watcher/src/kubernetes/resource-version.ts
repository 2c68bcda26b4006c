/**
 * Opaque everywhere else. Comparing them is allowed by KEP-5647 (Kubernetes 1.37); etcd's have always been
 * integers. One that is no integer counts as the oldest.
 */
export function isOlder(a: string, b: string): boolean {
  return asNumber(a) < asNumber(b);
}

export function newest(versions: Iterable<string>): string {
  let best = "";
  for (const version of versions) if (best === "" || isOlder(best, version)) best = version;
  return best;
}

const asNumber = (version: string): bigint => (/^\d{1,20}$/.test(version) ? BigInt(version) : 0n);
