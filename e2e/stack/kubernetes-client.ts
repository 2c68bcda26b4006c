import { Agent, request } from "undici";

/** Any object of the API. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubernetesObject;
}

/** What a request is about. Without a name: all of them; without a namespace: in all, or not in any. */
export interface Where {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly subresource?: string;
}

export interface Access {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** How a watch goes on when it breaks; without it, it throws. */
export interface Resume {
  /** What was missed is gone from the server's history: everything that is there comes again, as at the beginning. */
  readonly onAgain: () => void;
  /** How long the server may be away, in milliseconds. */
  readonly patienceMs: number;
}

/** A refusal of the API server. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const FIELD_MANAGER = "podgate-e2e";
const FROM_THE_BEGINNING: Readonly<Record<string, string>> = {
  sendInitialEvents: "true",
  resourceVersionMatch: "NotOlderThan",
};

/** A thin client of an API server for tests: nothing is cached but which kinds there are, nothing is tried again. */
export class KubernetesClient {
  readonly #access: Access;
  readonly #agent: Agent;
  readonly #kinds = new Map<string, Promise<ReadonlyMap<string, Kind>>>();
  readonly #watches = new Set<AbortController>();

  constructor(access: Access) {
    const { ca, cert, key } = access;
    this.#access = access;
    const connect = { ca, ...(cert && { cert }), ...(key && { key }) };
    // HTTP/1.1 for the reason of ADR 25.
    this.#agent = new Agent({ allowH2: false, connect, bodyTimeout: 0 });
  }

  async get<T = KubernetesObject>(where: Where): Promise<T> {
    return (await this.call("GET", await this.path(where))) as T;
  }

  async list<T = KubernetesObject>(where: Where, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    const path = `${await this.path(where)}?${new URLSearchParams(query).toString()}`;
    return ((await this.call("GET", path)) as { items: T[] }).items;
  }

  async create(object: KubernetesObject): Promise<KubernetesObject> {
    const { name: _, ...where } = whereOf(object);
    return (await this.call("POST", await this.path(where), object)) as KubernetesObject;
  }

  /** Server-side apply, in order. A custom resource definition is waited for until it is served. */
  async apply(...objects: readonly KubernetesObject[]): Promise<KubernetesObject[]> {
    const applied: KubernetesObject[] = [];
    for (const object of objects) {
      const path = `${await this.path(whereOf(object))}?fieldManager=${FIELD_MANAGER}&force=true`;
      applied.push(
        (await this.call("PATCH", path, object, "application/apply-patch+yaml")) as KubernetesObject,
      );
      if (object.kind === "CustomResourceDefinition") await this.#established(object);
    }
    return applied;
  }

  /** As `apply`, but nothing is kept: the server only says whether it would take them. @throws what it refuses */
  async tryOut(...objects: readonly KubernetesObject[]): Promise<void> {
    for (const object of objects) {
      const path = `${await this.path(whereOf(object))}?fieldManager=${FIELD_MANAGER}&force=true&dryRun=All`;
      await this.call("PATCH", path, object, "application/apply-patch+yaml");
    }
  }

  /** JSON merge patch: null removes a field. */
  async patch(where: Where, change: object): Promise<KubernetesObject> {
    const path = await this.path(where);
    return (await this.call("PATCH", path, change, "application/merge-patch+json")) as KubernetesObject;
  }

  /** Gone already is as good. @param graceSeconds of a pod; default its own */
  async delete(where: Where, graceSeconds?: number): Promise<void> {
    const query = graceSeconds === undefined ? "" : `?gracePeriodSeconds=${graceSeconds}`;
    try {
      await this.call("DELETE", `${await this.path(where)}${query}`);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.status === 404)) throw error;
    }
  }

  async scale(
    kind: "Deployment" | "StatefulSet",
    namespace: string,
    name: string,
    replicas: number,
  ): Promise<void> {
    await this.patch(
      { apiVersion: "apps/v1", kind, namespace, name, subresource: "scale" },
      { spec: { replicas } },
    );
  }

  /**
   * Everything that is there (as ADDED), then every change, until the signal aborts. A server that has much to do ends
   * watches that are slow to read: this one goes on where it was.
   *
   * @throws when it cannot: a gap would make a history wrong
   */
  async watch(
    where: Where,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
    query: Readonly<Record<string, string>> = {},
    resume?: Resume,
  ): Promise<void> {
    const closing = new AbortController();
    this.#watches.add(closing);
    const ending = AbortSignal.any([signal, closing.signal]);
    let from = FROM_THE_BEGINNING;
    let isWhole = false;
    let brokenAt: number | undefined;
    const open = (): void => void (brokenAt = undefined);
    const hear = (event: WatchEvent): void => {
      const { resourceVersion } = event.object.metadata;
      // Initial events come in no order.
      isWhole ||= event.type === "BOOKMARK";
      if (isWhole && resourceVersion !== undefined) from = { resourceVersion };
      onEvent(event);
    };
    try {
      for (;;) {
        const all = new URLSearchParams({ ...query, ...from, watch: "true", allowWatchBookmarks: "true" });
        try {
          await this.#watchOnce(where, `${await this.path(where)}?${all.toString()}`, hear, ending, open);
          if (!isWhole) throw new Error(`watch of ${where.kind} ended`);
        } catch (error) {
          if (ending.aborted || resume === undefined) throw error;
          brokenAt ??= performance.now();
          if (performance.now() - brokenAt > resume.patienceMs) throw error;
          const isGone = error instanceof KubernetesError && error.status === 410;
          if (isGone || !isWhole) {
            from = FROM_THE_BEGINNING;
            isWhole = false;
            resume.onAgain();
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    } catch (error) {
      if (!ending.aborted) throw error;
    } finally {
      this.#watches.delete(closing);
    }
  }

  async #watchOnce(
    { kind }: Where,
    path: string,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
    onOpen: () => void,
  ): Promise<void> {
    const response = await this.#send("GET", path, undefined, undefined, signal);
    if (response.statusCode !== 200) throw await refusal(response.statusCode, response.body);
    onOpen();
    let rest = "";
    response.body.setEncoding("utf8");
    for await (const chunk of response.body) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === "ERROR") {
          const { code } = event.object as unknown as { readonly code: number };
          throw new KubernetesError(code, `watch of ${kind}: ${line}`);
        }
        onEvent(event);
      }
    }
  }

  /** Any call, by its path. */
  async call(method: Method, path: string, body?: unknown, type = "application/json"): Promise<unknown> {
    const response = await this.#send(method, path, body, type);
    if (response.statusCode >= 300) throw await refusal(response.statusCode, response.body);
    const text = await response.body.text();
    return text.startsWith("{") ? (JSON.parse(text) as unknown) : text;
  }

  async path({ apiVersion, kind, name, namespace, subresource }: Where): Promise<string> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = (await this.#kindsOf(root)).get(kind);
    if (found === undefined) {
      this.#kinds.delete(root);
      throw new KubernetesError(404, `${this.#access.server} serves no ${kind} in ${apiVersion}`);
    }
    const space = found.namespaced ? (namespace ?? (name === undefined ? undefined : "default")) : undefined;
    return [
      root,
      ...(space === undefined ? [] : ["namespaces", space]),
      found.plural,
      ...(name === undefined ? [] : [name]),
      ...(subresource === undefined ? [] : [subresource]),
    ].join("/");
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.abort();
    await this.#agent.destroy();
  }

  #kindsOf(root: string): Promise<ReadonlyMap<string, Kind>> {
    const known = this.#kinds.get(root);
    if (known !== undefined) return known;
    const asked = this.call("GET", root).then((answer) => {
      const { resources } = answer as { resources: { name: string; kind: string; namespaced: boolean }[] };
      return new Map(
        resources
          .filter(({ name }) => !name.includes("/"))
          .map(({ name, kind, namespaced }) => [kind, { plural: name, namespaced }]),
      );
    });
    this.#kinds.set(root, asked);
    asked.catch(() => this.#kinds.delete(root));
    return asked;
  }

  /** "Established" is not enough: right after it the server still answers 404, or 429 "storage is initializing". */
  async #established(definition: KubernetesObject): Promise<void> {
    const { group, names, versions } = definition["spec"] as Definition;
    const deadline = performance.now() + 10_000;
    for (const { name, served } of versions) {
      if (!served) continue;
      for (;;) {
        try {
          await this.list({ apiVersion: `${group}/${name}`, kind: names.kind }, { limit: "1" });
          break;
        } catch (error) {
          const isEarly = error instanceof KubernetesError && [404, 429].includes(error.status);
          if (!isEarly || performance.now() > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    }
  }

  async #send(method: Method, path: string, body?: unknown, type?: string, signal?: AbortSignal) {
    const { server, token } = this.#access;
    return request(`${server}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        accept: "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": type ?? "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface Kind {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `spec` of a custom resource definition. */
interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

export function whereOf({ apiVersion, kind, metadata }: KubernetesObject): Where {
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) };
}

async function refusal(status: number, body: { text: () => Promise<string> }): Promise<KubernetesError> {
  const text = await body.text();
  try {
    return new KubernetesError(status, (JSON.parse(text) as { message: string }).message);
  } catch {
    return new KubernetesError(status, text.slice(0, 500));
  }
}
