/** One thing that was looked at. */
export interface Row {
  readonly check: string;
  /** Target, stream or bucket. */
  readonly subject: string;
  readonly result: "ok" | "warn" | "fail" | "skipped";
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}
