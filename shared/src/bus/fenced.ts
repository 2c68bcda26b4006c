export type FencedReason =
  /** Somebody else claimed the stream, or wrote to it. */
  | "replaced"
  /** The stream is another one than the claim was made on. */
  | "remade"
  /** The stream lost messages that it had acknowledged: restored from an older copy, or data loss. */
  | "rolled-back";

/** This writer's reign is over. Only a holder of the Lease, verified anew, may claim again with a new publisher. */
export class Fenced extends Error {
  override name = "Fenced";
  readonly reason: FencedReason;
  constructor(reason: FencedReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
