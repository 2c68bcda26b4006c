import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What is written to it leaves at once. A TLS connection has sent its Finished message by then. */
const isStanding = (socket: Socket): boolean =>
  !socket.connecting && (!(socket instanceof TLSSocket) || socket.getFinished() !== undefined);

/**
 * Keeps all of a request back until it is whole and its connection stands. Then it asks, and sends it in the same
 * turn: a process that is stopped while it connects, or between two pieces of a body, sends nothing when it wakes
 * up with the right to it lost.
 *
 * @param may asked once; where it says no, nothing is sent and the request is destroyed with this error
 */
export function askLast(request: ClientRequest, may: () => Error | undefined): ClientRequest {
  const write = request.write.bind(request) as (chunk: unknown, encoding?: BufferEncoding) => boolean;
  const end = request.end.bind(request);
  const pieces: (() => void)[] = [];
  let finish: (() => void) | undefined;
  let stands = false;
  const leave = (): void => {
    if (!stands || finish === undefined || request.destroyed) return;
    const refusal = may();
    if (refusal !== undefined) {
      request.destroy(refusal);
      return;
    }
    for (const piece of pieces) piece();
    finish();
  };
  request.write = (chunk: unknown, encoding?: unknown, written?: unknown): boolean => {
    pieces.push(() => write(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : undefined));
    const callback = typeof encoding === "function" ? encoding : written;
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  };
  request.end = (...given: unknown[]): ClientRequest => {
    finish = () => void end(...(given as []));
    leave();
    return request;
  };
  const ready = (): void => {
    stands = true;
    leave();
  };
  request.once("socket", (socket: Socket) => {
    if (isStanding(socket)) ready();
    else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", ready);
  });
  return request;
}
