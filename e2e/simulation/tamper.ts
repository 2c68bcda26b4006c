import type { ApiServer } from "@podgate/kubernetes-simulator/api-server";

/** Somebody in the middle: sees what goes by, and may spoil it. */
export interface Tamperer {
  /** The answer to this call gets lost. */
  readonly busReply?: (call: string) => boolean;
  /** A request was answered: with a status, or 0 for none. */
  readonly kubernetes?: (cluster: string, server: ApiServer, status: number) => void;
  /** The connection of a watch is lost instead of this line. */
  readonly kubernetesLine?: (cluster: string) => boolean;
}

/** All who are in the middle now. */
export class Tamper {
  readonly #all = new Set<Tamperer>();

  /** @returns takes it away */
  add(tamperer: Tamperer): () => void {
    this.#all.add(tamperer);
    return () => void this.#all.delete(tamperer);
  }

  losesBusReply(call: string): boolean {
    return [...this.#all].some(({ busReply }) => busReply?.(call) === true);
  }

  answered(cluster: string, server: ApiServer, status: number): void {
    for (const { kubernetes } of this.#all) kubernetes?.(cluster, server, status);
  }

  cutsLine(cluster: string): boolean {
    return [...this.#all].some(({ kubernetesLine }) => kubernetesLine?.(cluster) === true);
  }
}
