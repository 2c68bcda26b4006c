/** How long the device takes, in milliseconds. Writes hold the one configuration lock meanwhile. */
export interface Latency {
  readonly write: number;
  readonly read: number;
  /** On top of `write`, per 1,000 rows of the table written: commits get dearer as tables grow. */
  readonly writePerThousandRows: number;
}

export const NO_LATENCY: Latency = { write: 0, read: 0, writePerThousandRows: 0 };

export function holdTime(latency: Latency, isWrite: boolean, rows: number): number {
  return isWrite ? latency.write + (latency.writePerThousandRows * rows) / 1000 : latency.read;
}
