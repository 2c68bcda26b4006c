/** Who holds what, as one replica sees it. */
export interface Sharing {
  readonly self: string;
  /** How many devices there are. */
  readonly devices: number;
  /** Identities of those that are heard, the own included. */
  readonly replicas: readonly string[];
  /** Of each that holds any, how many. */
  readonly held: ReadonlyMap<string, number>;
}

/** So many devices each replica aims at. */
export const aimOf = ({ devices, replicas }: Pick<Sharing, "devices" | "replicas">): number =>
  Math.ceil(devices / Math.max(1, replicas.length));

/**
 * How many of its devices a replica hands over: what is above the aim, as far as others are below it. Replicas that
 * see the same give the same answers, so two of them never hand over for one place.
 */
export function surplusOf(sharing: Sharing): number {
  const { self, devices, replicas, held } = sharing;
  const aim = aimOf(sharing);
  const of = (replica: string): number => held.get(replica) ?? 0;
  const free = devices - [...held.values()].reduce((sum, count) => sum + count, 0);
  const room = replicas.reduce((sum, replica) => sum + Math.max(0, aim - of(replica)), 0);
  const before = replicas
    .filter((replica) => replica < self)
    .reduce((sum, replica) => sum + Math.max(0, of(replica) - aim), 0);
  return Math.max(0, Math.min(of(self) - aim, room - free - before));
}
