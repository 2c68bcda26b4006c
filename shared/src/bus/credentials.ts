import { readFileSync } from "node:fs";
import {
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
} from "@nats-io/transport-node";
import { BusError } from "./bus.ts";

/** How a service proves itself to NATS. Secrets stand in files, which are read anew at each connect attempt. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly passwordFile: string }
  | { readonly kind: "token"; readonly tokenFile: string }
  | { readonly kind: "nkey"; readonly seedFile: string }
  | { readonly kind: "creds"; readonly credsFile: string };

/**
 * The files are read here and now, so that a file that cannot be read is this function's error: the client
 * library closes for good when an authenticator throws.
 *
 * @throws BusError `forbidden`, naming the file and never its content
 */
export function authenticatorFor(credentials: Credentials): Authenticator | undefined {
  switch (credentials.kind) {
    case "none":
      return undefined;
    case "password":
      return usernamePasswordAuthenticator(credentials.user, line(credentials.passwordFile));
    case "token":
      return tokenAuthenticator(line(credentials.tokenFile));
    case "nkey":
      return proven(
        nkeyAuthenticator(new TextEncoder().encode(line(credentials.seedFile))),
        credentials.seedFile,
      );
    default:
      return proven(credsAuthenticator(read(credentials.credsFile)), credentials.credsFile);
  }
}

/** Tries the authenticator once: a malformed key must fail here, not inside the library. */
function proven(authenticator: Authenticator, file: string): Authenticator {
  try {
    authenticator("probe");
  } catch {
    throw new BusError("forbidden", `NATS credentials file ${file} does not hold a valid key`);
  }
  return authenticator;
}

const line = (file: string): string => new TextDecoder().decode(read(file)).trim();

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new BusError("forbidden", `NATS credentials file ${file} cannot be read (${code})`);
  }
}
