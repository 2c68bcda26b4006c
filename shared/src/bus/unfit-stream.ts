import { BusError, type StreamInfo } from "./bus.ts";

/** Why nobody may publish into a stream as it is, and what helps; undefined = it is fit. */
export function unfitStream(stream: string, { unfit }: Pick<StreamInfo, "unfit">): BusError | undefined {
  if (unfit.length === 0) return undefined;
  return new BusError(
    "unfit-stream",
    `nothing can be published into the stream ${stream}: ${unfit.join("; ")}. Change that with the nats command line, or delete the stream: podgate-pusher bus init, or a pusher that runs, makes it anew`,
  );
}
