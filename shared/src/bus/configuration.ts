import { z } from "zod";
import type { ConnectionOptions } from "./connection.ts";
import type { Credentials } from "./credentials.ts";

const file = z.string().min(1);

/** The `nats` section of both services' configuration. Secrets stand in files, never in the configuration. */
export const natsSchema = z
  .strictObject({
    servers: z
      .array(
        z
          .string()
          .regex(/^(nats|tls|ws|wss):\/\/[^/@\s]+$/, "must look like nats://host:4222, without credentials"),
      )
      .min(1)
      .describe("NATS servers, tried in turn"),
    user: z.string().min(1).optional().describe("user name; goes with passwordFile"),
    passwordFile: file.optional().describe("file that holds the user's password"),
    tokenFile: file.optional().describe("file that holds an authentication token"),
    nkeySeedFile: file.optional().describe("file that holds an nkey seed"),
    credsFile: file.optional().describe("file with a JWT and its seed, as nsc writes it"),
    tls: z
      .strictObject({
        caFile: file.optional().describe("CA that signed the servers' certificates"),
        certFile: file.optional().describe("client certificate"),
        keyFile: file.optional().describe("key of the client certificate"),
      })
      .optional()
      .describe("for tls:// and wss:// servers"),
  })
  .superRefine((nats, context) => {
    const given = (["passwordFile", "tokenFile", "nkeySeedFile", "credsFile"] as const).filter(
      (name) => nats[name] !== undefined,
    );
    if (given.length > 1) {
      context.addIssue({
        code: "custom",
        path: [given[1] ?? ""],
        message: `give one of ${given.join(", ")}, not several`,
      });
    }
    if ((nats.user === undefined) !== (nats.passwordFile === undefined)) {
      const missing = nats.user === undefined ? "user" : "passwordFile";
      context.addIssue({ code: "custom", path: [missing], message: "user and passwordFile go together" });
    }
  });

export type NatsConfiguration = z.infer<typeof natsSchema>;

export function credentialsOf(nats: NatsConfiguration): Credentials {
  if (nats.user !== undefined && nats.passwordFile !== undefined) {
    return { kind: "password", user: nats.user, passwordFile: nats.passwordFile };
  }
  if (nats.tokenFile !== undefined) return { kind: "token", tokenFile: nats.tokenFile };
  if (nats.nkeySeedFile !== undefined) return { kind: "nkey", seedFile: nats.nkeySeedFile };
  if (nats.credsFile !== undefined) return { kind: "creds", credsFile: nats.credsFile };
  return { kind: "none" };
}

/** As the connection takes it: what is not configured is not there. */
export function tlsOf({ tls }: NatsConfiguration): Pick<ConnectionOptions, "tls"> {
  if (tls === undefined) return {};
  const { caFile, certFile, keyFile } = tls;
  return {
    tls: {
      ...(caFile !== undefined && { caFile }),
      ...(certFile !== undefined && { certFile }),
      ...(keyFile !== undefined && { keyFile }),
    },
  };
}
