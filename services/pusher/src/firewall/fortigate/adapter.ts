import type { Clock } from "@podgate/shared/runtime/clock";
import type { Actual, Firewall, Identity, Limits, Outcome, Step } from "../firewall.ts";
import { applyStep, perform } from "./apply.ts";
import { Client, type ClientOptions } from "./client.ts";
import { EmptyGroups } from "./empty-groups.ts";
import { readIdentity } from "./identity.ts";
import { readLimits } from "./limits.ts";
import { Look } from "./look.ts";
import type { Names } from "./naming.ts";
import { readActual } from "./read.ts";
import { tidy } from "./tidy.ts";
import type { Tools } from "./work.ts";

export interface FortiGateOptions extends ClientOptions {
  readonly names: Names;
  readonly clock: Clock;
}

/** A VDOM of a FortiGate, FortiOS 6.2 or newer, by its REST API v2. */
export class FortiGate implements Firewall {
  readonly #client: Client;
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #emptyGroups = new EmptyGroups();

  constructor(options: FortiGateOptions) {
    this.#client = new Client(options);
    this.#names = options.names;
    this.#clock = options.clock;
  }

  identity(signal: AbortSignal): Promise<Identity> {
    return readIdentity(this.#client, signal);
  }

  limits(signal: AbortSignal): Promise<Limits> {
    return readLimits(this.#client, signal);
  }

  read(parents: readonly string[], signal: AbortSignal): Promise<Actual> {
    return readActual(this.#client, this.#names, parents, this.#clock.now(), signal);
  }

  apply(step: Step, signal: AbortSignal): Promise<Outcome> {
    return applyStep(this.#tools(signal), step);
  }

  tidy(signal: AbortSignal): Promise<Outcome> {
    const tools = this.#tools(signal);
    return perform(tools, tidy(tools), "tidy up", this.#names.placeholder);
  }

  #tools(signal: AbortSignal): Tools {
    return {
      client: this.#client,
      names: this.#names,
      clock: this.#clock,
      emptyGroups: this.#emptyGroups,
      look: new Look(this.#client, signal),
      signal,
    };
  }
}
