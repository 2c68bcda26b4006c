import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import got, { AbortError, RequestError, TimeoutError } from "got";
import { askLast } from "./last-moment.ts";
import { queryString, TransportError, type DeviceTransport, type TransportFailure } from "./transport.ts";

export interface GotTransportOptions {
  /** `https://fw.example.com:8443`: scheme, host and port only. */
  readonly url: string;
  /** Asked before each request, so that a token may be renewed. */
  readonly token: () => string;
  /** PEM of the authority to trust instead of the well-known ones; asked before each request. */
  readonly ca?: () => string | undefined;
  /** For simulators on the same host. The token never leaves the host unencrypted, so only to a loopback address. */
  readonly allowPlainHttp?: boolean;
  /** An idle connection is closed after so many milliseconds: before the device does, if possible. */
  readonly idleMs?: number;
}

export interface GotTransport extends DeviceTransport {
  /** Drops the connections. */
  close(): void;
}

/** FortiOS has a small pool of web server processes (Fortinet's KB 219266): few connections, kept open. */
const MAX_SOCKETS = 2;
const IDLE_MS = 10_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * HTTPS to one device. Verification is always on, redirects are not followed, nothing is retried here.
 * @throws RangeError for a URL that it will not use
 */
export function gotTransport(options: GotTransportOptions): GotTransport {
  const base = checkedUrl(options);
  const pool = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: options.idleMs ?? IDLE_MS };
  const agent = { http: new HttpAgent(pool), https: new HttpsAgent(pool) };
  const isPlain = base.protocol === "http:";
  return {
    send: async ({ method, path, query, body, headers, may, timeoutMs, signal }) => {
      const ca = options.ca?.();
      let isForbidden = false;
      try {
        const response = await got(base.origin + path + queryString(query), {
          method,
          agent,
          headers: {
            ...headers,
            accept: "application/json",
            authorization: `Bearer ${options.token()}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body }),
          https: { rejectUnauthorized: true, ...(ca === undefined ? {} : { certificateAuthority: ca }) },
          responseType: "text",
          followRedirect: false,
          throwHttpErrors: false,
          retry: { limit: 0 },
          request: (url, native, answered) => {
            const made = (isPlain ? httpRequest : httpsRequest)(url, native as RequestOptions, answered);
            return askLast(made, () => {
              isForbidden = may?.() === false;
              return isForbidden ? new Error("it may not be sent any more") : undefined;
            });
          },
          timeout: { request: timeoutMs },
          signal,
        });
        return { status: response.statusCode, headers: flat(response.headers), body: response.body };
      } catch (error) {
        if (isForbidden)
          throw new TransportError("aborted", false, `${base.host}: it may not be sent any more`);
        throw remade(error, base, isPlain, timeoutMs);
      }
    },
    close: () => {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

function checkedUrl({ url, allowPlainHttp }: GotTransportOptions): URL {
  const base = URL.parse(url);
  if (base === null || !["http:", "https:"].includes(base.protocol)) {
    throw new RangeError("url: give one such as https://firewall.example.com");
  }
  if (base.username !== "" || base.password !== "")
    throw new RangeError("url: must not hold a user or password");
  if (base.pathname !== "/" || base.search !== "" || base.hash !== "") {
    throw new RangeError(`url "${base.origin}…": give scheme, host and port only`);
  }
  if (base.protocol === "http:" && allowPlainHttp !== true) {
    throw new RangeError(
      `url "${base.origin}": plain HTTP shows the token to everybody on the way; use https://`,
    );
  }
  if (base.protocol === "http:" && !LOOPBACK.test(base.hostname)) {
    throw new RangeError(`url "${base.origin}": plain HTTP is for a loopback address only; use https://`);
  }
  return base;
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return result;
}

/** Takes only kind and place out of the library's error: the rest of it holds the token. */
function remade(error: unknown, base: URL, isPlain: boolean, timeoutMs: number): TransportError {
  const where = base.host;
  if (!(error instanceof RequestError) || NOT_MADE.test(error.code)) {
    // Thrown before the request began, for instance by `token` or for what it holds; the message is not ours to repeat.
    return new TransportError(
      "refused",
      false,
      `${where}: the request could not be made: is the token file good?`,
    );
  }
  const { timings } = error;
  const isReused = error.request?.reusedSocket === true;
  const maybeSent = isReused || (isPlain ? timings?.connect : timings?.secureConnect) !== undefined;
  if (error instanceof AbortError)
    return new TransportError("aborted", maybeSent, `${where}: call was broken off`);
  if (error instanceof TimeoutError) {
    return new TransportError("timeout", maybeSent, `${where}: no answer within ${String(timeoutMs)} ms`);
  }
  const kind = kindOf(error.code, maybeSent);
  return new TransportError(kind, maybeSent, `${where}: ${WORDS[kind]} (${error.code})`);
}

const WORDS: Readonly<Record<TransportFailure, string>> = {
  refused: "no connection",
  reset: "connection lost",
  timeout: "no answer in time",
  tls: "TLS failed: is the CA file the one that signed the device's certificate?",
  dns: "host name is not known",
  aborted: "call was broken off",
};

const NO_CONNECTION = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
]);
/** Refused by got or by Node, before anything was sent. */
const NOT_MADE = /^ERR_(?:GOT|INVALID|HTTP_INVALID|UNSUPPORTED)/;
const TLS =
  /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA|CRL_)/;

function kindOf(code: string, maybeSent: boolean): TransportFailure {
  if (NO_CONNECTION.has(code)) return "refused";
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) return "dns";
  if (code === "ETIMEDOUT") return "timeout";
  if (TLS.test(code) && !maybeSent) return "tls";
  return "reset";
}
