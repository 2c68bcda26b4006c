import type { KubernetesObject } from "../stack/kubernetes-client.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Audited {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** `get pods`, `patch podgate.dev/addressgroups/status`: what the roles among these objects grant. */
export function grantedRights(objects: readonly KubernetesObject[]): Set<string> {
  const rules = objects
    .filter(({ kind }) => kind === "ClusterRole" || kind === "Role")
    .flatMap((role) => role["rules"] as Rule[]);
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => rightOf(verb, group, resource))),
      ),
    ),
  );
}

/** What an account did, by the API server's audit log, and what it was refused. */
export function usedRights(auditLog: string, account: string): { used: Set<string>; refused: string[] } {
  const used = new Set<string>();
  const refused: string[] = [];
  for (const line of auditLog.split("\n")) {
    if (!line.includes(account)) continue;
    const { user, verb, objectRef, requestURI, responseStatus } = JSON.parse(line) as Audited;
    if (user.username !== account) continue;
    const { apiGroup = "", resource, subresource } = objectRef ?? {};
    if (resource === undefined) continue;
    const right = rightOf(
      verb,
      apiGroup,
      subresource === undefined ? resource : `${resource}/${subresource}`,
    );
    used.add(right);
    if (responseStatus?.code === 403) refused.push(`${right}: ${requestURI}`);
  }
  return { used, refused };
}

const rightOf = (verb: string, group: string, resource: string): string =>
  `${verb} ${group === "" ? "" : `${group}/`}${resource}`;
