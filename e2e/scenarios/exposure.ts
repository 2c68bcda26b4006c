import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { quantiles, type Quantiles } from "../bench/quantiles.ts";
import type { Verdict } from "./judge.ts";

const RESULTS = fileURLToPath(new URL("../bench/results/", import.meta.url));

interface Exposure {
  readonly fault: string;
  /** Milliseconds an address stayed after it was freed. */
  readonly removals: Quantiles;
  /** Milliseconds an address was missing after a pod got it. */
  readonly additions: Quantiles;
  readonly [figure: string]: unknown;
}

/** How late the firewall was in each scenario of a file: said as TAP comments, and kept as one JSON file. */
export class Exposures {
  readonly #name: string;
  readonly #all: Exposure[] = [];

  /** @param name of the file, without its ending */
  constructor(root: Test, name: string) {
    this.#name = name;
    root.teardown(() => this.#write());
  }

  note(t: Test, fault: string, verdict: Verdict, figures: Readonly<Record<string, unknown>> = {}): void {
    const removals = quantiles(verdict.lateRemovals);
    const additions = quantiles(verdict.lateAdditions);
    this.#all.push({ fault, removals, additions, ...figures });
    const said = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
    t.comment(
      [`exposure, ${fault}: removals ${words(removals)}`, `additions ${words(additions)}`, ...said].join(
        "; ",
      ),
    );
  }

  #write(): void {
    if (this.#all.length === 0) return;
    mkdirSync(RESULTS, { recursive: true });
    const result = { at: new Date().toISOString(), unit: "ms", scenarios: this.#all };
    writeFileSync(join(RESULTS, `${this.#name}.json`), `${JSON.stringify(result, undefined, 1)}\n`);
  }
}

const words = ({ count, p50, p99, max }: Quantiles): string =>
  count === 0 ? "none" : `${count}, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
