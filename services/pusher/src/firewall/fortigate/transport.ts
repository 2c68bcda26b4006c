export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface TransportRequest {
  readonly method: Method;
  /** From `/api/`, percent-encoded. */
  readonly path: string;
  /** Not encoded; a key may come more than once. */
  readonly query: readonly (readonly [string, string])[];
  /** JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked at the last moment before it leaves; where it says no, nothing was sent (`aborted`). Absent: it may. */
  readonly may?: () => boolean;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The lowest port: one request, one answer, whatever its status. No retries; who authenticates is its business.
 * @throws TransportError, and nothing else
 */
export interface DeviceTransport {
  send(request: TransportRequest): Promise<TransportResponse>;
}

export type TransportFailure = "refused" | "reset" | "timeout" | "tls" | "dns" | "aborted";

/** No answer came. Made anew: errors of HTTP libraries carry headers, and so the token. */
export class TransportError extends Error {
  override name = "TransportError";
  readonly kind: TransportFailure;
  /** The device may have got the request, and done what it asks. */
  readonly maybeSent: boolean;

  constructor(kind: TransportFailure, maybeSent: boolean, message: string) {
    super(message);
    this.kind = kind;
    this.maybeSent = maybeSent;
  }
}

/** `a=1&b=%40x` with a leading `?`, or nothing. */
export function queryString(query: TransportRequest["query"]): string {
  if (query.length === 0) return "";
  return `?${query.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join("&")}`;
}
