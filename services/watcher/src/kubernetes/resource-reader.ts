import type { Clock } from "@podgate/shared/runtime/clock";
import { lines } from "./lines.ts";
import { readPage, type ListPage } from "./list-page.ts";
import { requestJson, requireOk, type KubernetesTransport } from "./transport.ts";
import { Watchdog } from "./watchdog.ts";
import { readWatchEvent, type WatchEvent } from "./watch-event.ts";

/** The reading requests for one resource, each under a watchdog. */
export class ResourceReader {
  readonly #transport: KubernetesTransport;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #silentMs: number;

  /** @param silentMs no byte for this long: the connection is dead */
  constructor(transport: KubernetesTransport, path: string, clock: Clock, silentMs: number) {
    this.#transport = transport;
    this.#path = path;
    this.#clock = clock;
    this.#silentMs = silentMs;
  }

  /** @param token of the page before; empty = the first one. @throws KubernetesError */
  async page(limit: number, token: string, signal: AbortSignal): Promise<ListPage> {
    const query = { limit: String(limit), ...(token !== "" && { continue: token }) };
    const watchdog = new Watchdog(this.#clock, this.#silentMs, signal);
    try {
      return readPage(await requestJson(this.#transport, this.#request(query, watchdog.signal)));
    } catch (error) {
      throw watchdog.verdict(error);
    } finally {
      watchdog.stop();
    }
  }

  /** The events of a watch until the server ends it. @throws KubernetesError */
  async *watch(
    query: Readonly<Record<string, string>>,
    onOpen: () => void,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const watchdog = new Watchdog(this.#clock, this.#silentMs, signal);
    try {
      const request = this.#request({ watch: "1", allowWatchBookmarks: "true", ...query }, watchdog.signal);
      const response = await requireOk(await this.#transport.open(request), `watch ${this.#path}`);
      onOpen();
      for await (const line of lines(watchdog.watched(response.body))) yield readWatchEvent(line);
    } catch (error) {
      throw watchdog.verdict(error);
    } finally {
      watchdog.stop();
    }
  }

  #request(query: Readonly<Record<string, string>>, signal: AbortSignal) {
    const path = `${this.#path}?${new URLSearchParams(query).toString()}`;
    return { method: "GET" as const, path, signal };
  }
}
