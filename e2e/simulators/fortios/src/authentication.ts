import type { ApiUser } from "./access.ts";
import type { Lockout } from "./lockout.ts";
import type { DeviceRequest } from "./request.ts";

/** Who asks; or why nobody is let in. */
export type Verdict =
  | { readonly user: ApiUser }
  /** Wrong or missing token, or not a trusted host. */
  | { readonly refused: "unauthorized" }
  | { readonly refused: "locked" };

/**
 * Token by header; in the URL only where the device allows it. A source that is locked out is refused before its
 * token is looked at. A request without any token is refused but not counted.
 */
export function authenticate(
  request: DeviceRequest,
  query: URLSearchParams,
  users: readonly ApiUser[],
  lockout: Lockout,
  urlToken: boolean,
  now: number,
): Verdict {
  if (lockout.locked(request.source, now)) return { refused: "locked" };
  const token = bearer(request.headers["authorization"]) ?? (urlToken ? query.get("access_token") : null);
  if (token === null) return { refused: "unauthorized" };
  const user = users.find((candidate) => candidate.token === token);
  const trusted = user?.trustedHosts === undefined || user.trustedHosts.includes(request.source);
  if (user === undefined || !trusted) {
    lockout.failed(request.source, now);
    return { refused: "unauthorized" };
  }
  lockout.succeeded(request.source);
  return { user };
}

function bearer(header: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? null;
}
