import { nkeys } from "@nats-io/transport-node";

/** A seed of a new user, as text: a secret. */
export function newNkey(): string {
  return new TextDecoder().decode(nkeys.createUser().getSeed());
}

/** The public key of a user's seed; undefined if the text is none. */
export function publicNkey(seed: string): string | undefined {
  try {
    const key = nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey();
    return key.startsWith("U") ? key : undefined;
  } catch {
    return undefined; // the library's error could hold the text
  }
}
