/** What comes over the wire. */
export interface DeviceRequest {
  readonly method: string;
  /** Path and query, still encoded. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** IP address of the client. */
  readonly source: string;
  /** Milliseconds since 1970 at which it arrived, where that is not when it is done. */
  readonly arrivedAt?: number;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic?: number;
}

/** What goes back: an answer, a reset of the connection, or nothing at all. */
export type Answer =
  | {
      readonly kind: "reply";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: "cut" }
  | { readonly kind: "hang" };

export interface Target {
  /** Decoded parts of the path. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Percent-encoding that cannot be decoded. */
  readonly broken: boolean;
}

export function targetOf(url: string): Target {
  const at = url.indexOf("?");
  const path = at === -1 ? url : url.slice(0, at);
  const query = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
  const parts = path.split("/").slice(1);
  try {
    return { segments: parts.map((part) => decodeURIComponent(part)), query, broken: false };
  } catch {
    return { segments: parts, query, broken: true };
  }
}

/** The method that counts: POST may stand for another (FRR). */
export function methodOf(request: DeviceRequest): string {
  const override = request.headers["x-http-method-override"];
  return request.method === "POST" && override !== undefined
    ? override.toUpperCase()
    : request.method.toUpperCase();
}

const TITLES: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  404: "Not Found",
  413: "Request Entity Too Large",
  429: "Too Many Requests",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** Not everything is JSON. */
export function htmlReply(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  const title = `${String(status)} ${TITLES[status] ?? "Error"}`;
  const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return { kind: "reply", status, headers: { "content-type": "text/html; charset=utf-8", ...headers }, body };
}

export function jsonReply(status: number, body: unknown): Answer {
  return {
    kind: "reply",
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}
