import fastify, { type FastifyInstance } from "fastify";
import type { Metrics } from "./metrics.ts";

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

/** `/livez`, `/readyz`, `/metrics`. A short keep-alive, because closing waits for idle connections (fastify 5). */
export async function startOpsServer(options: OpsOptions): Promise<OpsServer> {
  const app = fastify({ logger: false, keepAliveTimeout: 2000, return503OnClosing: true });
  app.get("/livez", (_request, reply) => answer(options.live, reply));
  app.get("/readyz", (_request, reply) => answer(options.ready, reply));
  app.get("/metrics", async (_request, reply) => {
    await reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metrics.render());
  });
  options.routes?.(app);
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () => app.close(),
  };
}

type Reply = { code(status: number): { send(body: unknown): unknown } };

function answer(checks: Readonly<Record<string, Check>>, reply: Reply): unknown {
  const results = Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, check() ?? "ok"]));
  const well = Object.values(results).every((result) => result === "ok");
  return reply.code(well ? 200 : 503).send(results);
}
