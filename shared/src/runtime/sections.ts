import { z } from "zod";

/** Section `ops` of a service's configuration: the server for probes and metrics. */
export const opsSection = z
  .strictObject({
    host: z.string().default("0.0.0.0").describe("address of the ops server"),
    port: z
      .int()
      .min(0)
      .max(65535)
      .default(8080)
      .describe("port of /livez, /readyz and /metrics; 0 = any free one"),
  })
  .prefault({})
  .describe("server for probes and metrics");

/** Section `log`. */
export const logSection = z
  .strictObject({
    level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("least level that is logged"),
  })
  .prefault({})
  .describe("log lines on standard output");
