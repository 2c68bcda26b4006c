import { Failure } from "./failure.ts";
import { record } from "./item.ts";
import type { Resource } from "./resource.ts";
import type { Verb } from "./target.ts";

/** What the user may not do; everything else is allowed. */
export interface Denial {
  /** Default: every verb. */
  readonly verbs?: readonly Verb[];
  /** With its subresource, if it is about one: `pods`, `clusteraddressgroups/status`. Default: all. */
  readonly resource?: string;
  readonly namespace?: string;
}

export const USER = "system:serviceaccount:podgate:podgate-watcher";

/** Who may come in (one bearer token) and what he may do. */
export class Access {
  token: string;
  denials: readonly Denial[] = [];

  constructor(token: string) {
    this.token = token;
  }

  /** @throws Failure 401 */
  authenticate(authorization: string | undefined): void {
    if (authorization !== `Bearer ${this.token}`) throw new Failure(401, "Unauthorized");
  }

  /** @throws Failure 403 */
  authorize(verb: Verb, resource: Resource, subresource: string, namespace: string, name: string): void {
    const full = subresource === "" ? resource.plural : `${resource.plural}/${subresource}`;
    if (this.#allows(verb, full, namespace)) return;
    const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
    const what = name === "" ? `${full} is` : `${full} "${name}" is`;
    throw new Failure(
      403,
      `${what} forbidden: User "${USER}" cannot ${verb} resource "${full}" in API group "${resource.group}" ${place}`,
    );
  }

  /** Answers a SelfSubjectAccessReview. */
  review(body: unknown): string {
    const review = record(body);
    const attributes = record(record(review["spec"])["resourceAttributes"]);
    const subresource = textOf(attributes["subresource"]);
    const resource = textOf(attributes["resource"]);
    const full = subresource === "" ? resource : `${resource}/${subresource}`;
    const allowed = this.#allows(textOf(attributes["verb"]) as Verb, full, textOf(attributes["namespace"]));
    return JSON.stringify({
      kind: "SelfSubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      metadata: {},
      spec: review["spec"],
      status: { allowed },
    });
  }

  #allows(verb: Verb, resource: string, namespace: string): boolean {
    return !this.denials.some(
      (denial) =>
        (denial.verbs === undefined || denial.verbs.includes(verb)) &&
        (denial.resource === undefined || denial.resource === resource) &&
        (denial.namespace === undefined || denial.namespace === namespace),
    );
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
