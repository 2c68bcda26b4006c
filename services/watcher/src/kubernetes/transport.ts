/** The lowest port towards an API server: open a request, read bytes. */
export interface KubernetesTransport {
  /** Resolves when the headers are there. @throws KubernetesError `unreachable` or `aborted` */
  open(request: KubernetesRequest): Promise<KubernetesResponse>;
}

export interface KubernetesRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

export interface KubernetesResponse {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

export type KubernetesErrorKind =
  | "unreachable"
  | "aborted"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "gone"
  | "invalid"
  | "server"
  /** No byte for too long. */
  | "silent"
  /** What came is not what the API promises. */
  | "parse"
  /** A list older than what was seen before. */
  | "stale";

/** Every failure of the API, made anew here: it carries no header and no token. */
export class KubernetesError extends Error {
  override name = "KubernetesError";
  readonly kind: KubernetesErrorKind;
  constructor(kind: KubernetesErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** @throws KubernetesError for any status but 2xx, with the API's own message */
export async function requireOk(response: KubernetesResponse, what: string): Promise<KubernetesResponse> {
  if (response.status >= 200 && response.status < 300) return response;
  const body = await readText(response, 64 * 1024).catch(() => "");
  throw new KubernetesError(kindOf(response.status), `${what}: HTTP ${response.status}${reasonIn(body)}`);
}

export function kindOf(status: number): KubernetesErrorKind {
  const kinds: Readonly<Record<number, KubernetesErrorKind>> = {
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    410: "gone",
  };
  return kinds[status] ?? (status >= 500 || status === 429 ? "server" : "invalid");
}

function reasonIn(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed)
      return `: ${String(parsed.message).slice(0, 500)}`;
  } catch {
    // Not a Status object: the code alone must do.
  }
  return "";
}

/** The whole body as text. @throws KubernetesError `parse` beyond `most` bytes */
export async function readText(response: KubernetesResponse, most = 256 * 1024 * 1024): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > most) throw new KubernetesError("parse", `an answer of more than ${most} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** A request with a JSON answer. @throws KubernetesError */
export async function requestJson(
  transport: KubernetesTransport,
  request: KubernetesRequest,
): Promise<unknown> {
  const what = `${request.method} ${request.path.split("?")[0]}`;
  const response = await requireOk(await transport.open(request), what);
  try {
    return JSON.parse(await readText(response));
  } catch (error) {
    if (error instanceof KubernetesError) throw error;
    throw new KubernetesError("parse", `${what}: the answer is not JSON`);
  }
}
