import fastify, { type FastifyInstance } from "fastify";
import { describeError, UserError } from "./errors.ts";
import type { Metrics } from "./metrics.ts";

/** Requests in flight get this long when the server closes. */
const CLOSE_MS = 1000;

/** undefined = well; else the reason why not. */
export type Check = () => string | undefined;

export interface OpsOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly live: Readonly<Record<string, Check>>;
  readonly ready: Readonly<Record<string, Check>>;
  readonly metrics: Metrics;
  readonly routes?: (app: FastifyInstance) => void;
}

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/livez`, `/readyz`, `/metrics`. Closing ends idle connections at once and busy ones after a second, so that a slow
 * scrape never holds up the end of the process.
 *
 * @throws UserError when it cannot listen
 */
export async function startOpsServer(options: OpsOptions): Promise<OpsServer> {
  const app = fastify({
    logger: false,
    keepAliveTimeout: 2000,
    requestTimeout: 10_000,
    return503OnClosing: true,
  });
  app.setErrorHandler((error, _request, reply) => reply.code(500).send({ error: describeError(error) }));
  app.get("/livez", (_request, reply) => answer(options.live, reply));
  app.get("/readyz", (_request, reply) => answer(options.ready, reply));
  app.get("/metrics", async (_request, reply) => {
    await reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metrics.render());
  });
  options.routes?.(app);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? String(error.code) : describeError(error);
    throw new UserError(
      `ops.host and ops.port: ${options.host} port ${options.port}: cannot listen there (${code}); give another address or port`,
    );
  }
  const address = app.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async close() {
      const late = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
      await app.close();
      clearTimeout(late);
    },
  };
}

type Reply = { code(status: number): { send(body: unknown): unknown } };

function answer(checks: Readonly<Record<string, Check>>, reply: Reply): unknown {
  const results = Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, outcome(check)]));
  const well = Object.values(results).every((result) => result === "ok");
  return reply.code(well ? 200 : 503).send(results);
}

function outcome(check: Check): string {
  try {
    return check() ?? "ok";
  } catch (error) {
    return `the check failed: ${describeError(error)}`;
  }
}
