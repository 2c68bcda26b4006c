import type { ApiAnswer, ApiServer } from "@podgate/kubernetes-simulator/api-server";
import type { Watch } from "@podgate/kubernetes-simulator/watch";
import {
  KubernetesError,
  type KubernetesRequest,
  type KubernetesResponse,
  type KubernetesTransport,
} from "@podgate/watcher/kubernetes/transport";
import { EPOCH, type Answer, type Process } from "../process.ts";
import type { Tamper } from "../tamper.ts";
import type { Timeline } from "../timeline.ts";
import { Inbox } from "./inbox.ts";
import { Link } from "./link.ts";

export interface KubernetesPortOptions {
  readonly process: Process;
  readonly timeline: Timeline;
  /** Which of the cluster's API servers answers this request; undefined = none does. */
  readonly server: (request: KubernetesRequest) => ApiServer | undefined;
  readonly cluster: string;
  readonly token: () => string;
  readonly tamper: Tamper;
  readonly delay: () => number;
}

const encoder = new TextEncoder();
const unreachable = (why: string): KubernetesError =>
  new KubernetesError("unreachable", `API server: ${why}`);

/** A process' way to the API servers of its cluster. */
export class KubernetesPort implements KubernetesTransport {
  readonly #options: KubernetesPortOptions;

  constructor(options: KubernetesPortOptions) {
    this.#options = options;
  }

  open(request: KubernetesRequest): Promise<KubernetesResponse> {
    const { process, timeline, server, cluster, token, tamper, delay } = this.#options;
    const { method, path, signal } = request;
    return process.call<KubernetesResponse>(`kubernetes.${method}`, (answer) => {
      if (signal.aborted) return answer.reject(new KubernetesError("aborted", "aborted"));
      let isOver = false;
      const once: Answer<KubernetesResponse> = {
        resolve: (response) => {
          if (!isOver) answer.resolve(response);
          isOver = true;
        },
        reject: (error) => {
          if (!isOver) answer.reject(error);
          isOver = true;
        },
      };
      signal.addEventListener("abort", () => once.reject(new KubernetesError("aborted", "aborted")), {
        once: true,
      });
      timeline.after(delay(), () => {
        const api = server(request);
        if (api === undefined) return once.reject(unreachable("ECONNREFUSED"));
        const headers = {
          authorization: `Bearer ${token()}`,
          "content-type": request.contentType ?? "application/json",
        };
        const asked = { method, url: path, headers, body: request.body ?? "" };
        const given = api.handle(asked, EPOCH + timeline.now);
        const { content } = given;
        tamper.answered(cluster, api, content.kind === "reply" ? content.status : 0);
        this.#answer(api, given, signal, once);
      });
    });
  }

  #answer(
    api: ApiServer,
    { content, hold, truncate }: ApiAnswer,
    signal: AbortSignal,
    answer: Answer<KubernetesResponse>,
  ): void {
    const { timeline, delay } = this.#options;
    timeline.after(hold + delay(), () => {
      if (content.kind === "cut") answer.reject(unreachable("ECONNRESET"));
      if (content.kind === "watch") {
        const body = this.#stream(api, content.watch, signal);
        answer.resolve({ status: 200, body });
      }
      if (content.kind !== "reply") return;
      const inbox = new Inbox<Uint8Array>();
      const bytes = encoder.encode([...content.body].join(""));
      inbox.push(truncate === undefined ? bytes : bytes.subarray(0, truncate));
      inbox.end(truncate === undefined ? undefined : unreachable("ECONNRESET"));
      answer.resolve({ status: content.status, body: bodyOf(inbox, signal) });
    });
  }

  #stream(api: ApiServer, watch: Watch, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { process, timeline, cluster, tamper, delay } = this.#options;
    const inbox = new Inbox<Uint8Array>();
    const link = new Link(timeline, delay);
    const arrive = (run: () => void): void => link.send(() => process.deliver(run));
    let cancel: (() => void) | undefined;
    let isOpen = true;
    const close = (): void => {
      isOpen = false;
      cancel?.();
      api.forget(watch);
    };
    const write = (): void => {
      if (!isOpen) return;
      let text = "";
      for (let line = watch.next(); line !== undefined; line = watch.next()) {
        if (tamper.cutsLine(cluster)) return watch.cut();
        text += line;
      }
      if (text !== "") {
        const chunk = encoder.encode(text);
        arrive(() => inbox.push(chunk));
      }
      if (!watch.ended) return;
      close();
      arrive(() => inbox.end());
    };
    const tick = (): void => {
      if (!isOpen) return;
      const ms = watch.silent ? 60_000 : Math.max(1, watch.wakeAt - (EPOCH + timeline.now));
      cancel = timeline.after(ms, () => {
        if (!watch.silent) watch.tick(EPOCH + timeline.now);
        tick();
      });
    };
    watch.onReady = write;
    watch.onCut = () => {
      if (!isOpen) return;
      close();
      arrive(() => inbox.break(unreachable("ECONNRESET")));
    };
    process.onDeath(close);
    signal.addEventListener("abort", close, { once: true });
    write();
    tick();
    return bodyOf(inbox, signal);
  }
}

async function* bodyOf(inbox: Inbox<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* inbox.read(signal);
  if (signal.aborted) throw new KubernetesError("aborted", "aborted");
}
