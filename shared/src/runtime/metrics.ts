import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

type Labels = Readonly<Record<string, string>>;

export interface MetricOptions {
  /** Without the prefix `podgate_`. */
  readonly name: string;
  readonly help: string;
  /** Label → its known values: every series is born at zero. An empty list = values come at run time. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Label → its known values; empty = they come at run time. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

/** One process's metrics, in a registry of their own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #described: MetricDescription[] = [];

  readonly #build: { readonly service: string; readonly version: string };

  constructor(service: string, version: string) {
    this.#build = { service, version };
    collectDefaultMetrics({ register: this.#registry });
    this.#tellBuild();
  }

  /** Forgets every metric of Podgate's own: under another configuration their series are others. */
  renew(): void {
    for (const { name } of this.#described.splice(0)) this.#registry.removeSingleMetric(name);
    this.#tellBuild();
  }

  counter(options: MetricOptions): (labels?: Labels, by?: number) => void {
    const metric = new Counter({ ...this.#base(options, "counter") });
    for (const labels of series(options)) metric.inc(labels, 0);
    return (labels = {}, by = 1) => metric.inc(labels, by);
  }

  gauge(options: MetricOptions): (value: number, labels?: Labels) => void {
    const metric = new Gauge({ ...this.#base(options, "gauge") });
    for (const labels of series(options)) metric.set(labels, 0);
    return (value, labels = {}) => metric.set(labels, value);
  }

  /** Values in seconds. */
  histogram(
    options: MetricOptions & { readonly buckets: readonly number[] },
  ): (seconds: number, labels?: Labels) => void {
    const metric = new Histogram({ ...this.#base(options, "histogram"), buckets: [...options.buckets] });
    for (const labels of series(options)) metric.zero(labels);
    return (seconds, labels = {}) => metric.observe(labels, seconds);
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Every metric of Podgate's own in the order of its making, for the generated documentation. */
  describe(): readonly MetricDescription[] {
    return this.#described;
  }

  #tellBuild(): void {
    const { service, version } = this.#build;
    this.gauge({
      name: "build_info",
      help: "1, with the version as label",
      labels: { service: [service], version: [version] },
    })(1, { service, version });
  }

  #base({ name: bare, help, labels = {} }: MetricOptions, type: MetricDescription["type"]) {
    const name = `podgate_${bare}`;
    this.#described.push({ name, help, type, labels });
    return { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
  }
}

function series({ labels = {} }: MetricOptions): Labels[] {
  let all: Labels[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    all = all.flatMap((made) => values.map((value) => Object.assign({}, made, { [label]: value })));
  }
  return all;
}
