import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { Agent, request } from "undici";
import {
  KubernetesError,
  type KubernetesRequest,
  type KubernetesResponse,
  type KubernetesTransport,
} from "./transport.ts";

/** Watches of all resources, one list or write beside each: more sockets than that are a leak. */
const MOST_SOCKETS = 12;
const CONNECT_MS = 5000;
const HEADERS_MS = 30_000;
const HEADERS_TIMEOUT = "UND_ERR_HEADERS_TIMEOUT";

/**
 * One undici agent for everything: client-node 2.0.1 would open a connection per request. Credentials are taken
 * from the KubeConfig at each request, so a rotated token is used as soon as its file is read again (60 s).
 */
export class UndiciTransport implements KubernetesTransport {
  readonly #config: KubeConfig;
  #agent: Agent | undefined;
  #agentKey = "";

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  async open({ method, path, body, contentType, signal }: KubernetesRequest): Promise<KubernetesResponse> {
    const server = this.#config.getCurrentCluster()?.server;
    if (server === undefined) throw new KubernetesError("invalid", "the kubeconfig names no cluster");
    let agent: Agent | undefined;
    try {
      const { headers, ...prepared } = await this.#prepare();
      ({ agent } = prepared);
      const response = await request(new URL(path, server), {
        dispatcher: agent,
        method,
        headers: {
          ...headers,
          accept: "application/json",
          ...(body !== undefined && { "content-type": contentType ?? "application/json" }),
        },
        body: body ?? null,
        signal,
        headersTimeout: HEADERS_MS,
        bodyTimeout: 0,
      });
      return { status: response.statusCode, body: this.#remade(response.body, agent, signal) };
    } catch (error) {
      throw this.#remake(error, agent, signal);
    }
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  async *#remade(
    body: AsyncIterable<Uint8Array>,
    agent: Agent | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#remake(error, agent, signal);
    }
  }

  /** Where one connection fell silent, the idle ones beside it did so unheard: each would cost another timeout. */
  #remake(error: unknown, agent: Agent | undefined, signal: AbortSignal): KubernetesError {
    const reason: unknown = signal.aborted ? signal.reason : undefined;
    const isSilent = reason instanceof KubernetesError && reason.kind === "silent";
    if ((isSilent || codeOf(error) === HEADERS_TIMEOUT) && agent === this.#agent) {
      void agent?.close();
      this.#agent = undefined;
    }
    return remake(error, signal);
  }

  /** What a credential plugin or a token file says when it fails may hold the credential. */
  async #credentials(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
      throw new KubernetesError("unauthorized", `the credentials for the API server cannot be read${code}`);
    }
    return options;
  }

  async #prepare(): Promise<{ agent: Agent; headers: Record<string, string> }> {
    const options = await this.#credentials();
    const { ca, cert, key, rejectUnauthorized } = options;
    const connect = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized }).filter(([, value]) => value !== undefined),
    );
    // A renewed client certificate needs a new agent; the old one finishes what it has.
    const agentKey = [ca, cert, key].map(String).join();
    if (this.#agent === undefined || agentKey !== this.#agentKey) {
      void this.#agent?.close();
      this.#agent = new Agent({
        // Offered HTTP/2, Node 24.21.0 can end in a loop when a request is aborted (ADR 25).
        allowH2: false,
        connections: MOST_SOCKETS,
        pipelining: 1,
        connect: { ...connect, timeout: CONNECT_MS },
      });
      this.#agentKey = agentKey;
    }
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    return { agent: this.#agent, headers };
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

function remake(error: unknown, signal: AbortSignal): KubernetesError {
  if (error instanceof KubernetesError) return error;
  if (signal.aborted) return new KubernetesError("aborted", "aborted");
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : "unknown failure";
  return new KubernetesError(
    "unreachable",
    `API server: ${[code, message].filter((part) => part !== "").join(" ")}`,
  );
}
