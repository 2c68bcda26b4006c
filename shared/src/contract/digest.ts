import { hash } from "node:crypto";

const MODULUS = 1n << 128n;

/**
 * A set of members as one number: the sum modulo 2^128 of the first 128 bits of SHA-256 over
 * `group NUL address`. Order does not matter, and adding or taking away a member costs one hash, so watcher and
 * pusher keep it along with their sets and compare it at each state message.
 */
export class Digest {
  #sum = 0n;

  add(group: string, address: string): void {
    this.#sum = (this.#sum + memberHash(group, address)) % MODULUS;
  }

  remove(group: string, address: string): void {
    this.#sum = (this.#sum - memberHash(group, address) + MODULUS) % MODULUS;
  }

  /** 32 hex digits. */
  toString(): string {
    return this.#sum.toString(16).padStart(32, "0");
  }
}

function memberHash(group: string, address: string): bigint {
  return BigInt(`0x${hash("sha256", `${group}\0${address}`, "hex").slice(0, 32)}`);
}
