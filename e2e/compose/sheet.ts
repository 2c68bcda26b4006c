/**
 * A mapping of a YAML file that is read key by key: `end` finds what was not asked for. Faults name the place by its
 * path, and what is there instead of it is read as nothing.
 */
export class Sheet {
  readonly #at: string;
  readonly #all: ReadonlyMap<string, unknown>;
  readonly #rest: Map<string, unknown>;
  readonly #faults: string[];

  constructor(at: string, value: unknown, faults: string[]) {
    this.#at = at;
    this.#faults = faults;
    const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isMapping) faults.push(`${at}: is ${JSON.stringify(value)}; give a mapping`);
    this.#all = new Map(isMapping ? Object.entries(value) : []);
    this.#rest = new Map(this.#all);
  }

  has(key: string): boolean {
    return this.#all.has(key);
  }

  isList(key: string): boolean {
    return Array.isArray(this.#all.get(key));
  }

  /** @param wanted what is to be there */
  fault(key: string, wanted: string): void {
    this.#faults.push(`${this.#path(key)}: is ${JSON.stringify(this.#all.get(key))}; give ${wanted}`);
  }

  skip(key: string): void {
    this.#rest.delete(key);
  }

  text(key: string): string | undefined {
    return this.#take(key, "a text", (value) => (typeof value === "string" ? value : undefined));
  }

  number(key: string): number | undefined {
    return this.#take(key, "a number", (value) => (typeof value === "number" ? value : undefined));
  }

  /** Default false. */
  flag(key: string): boolean {
    return (
      this.#take(key, "true or false", (value) => (typeof value === "boolean" ? value : undefined)) ?? false
    );
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    return this.#take(key, values.join(" or "), (value) => values.find((each) => each === value));
  }

  list(key: string): readonly string[] | undefined {
    return this.#take(key, "a list of texts", (value) => (isTexts(value) ? value : undefined));
  }

  /** A list whose entries all fit; the groups of each. What a group did not find is "". */
  matched<T>(key: string, shape: RegExp, make: (...groups: [string, string, string]) => T): readonly T[] {
    return (this.list(key) ?? []).flatMap((entry) => {
      const found = shape.exec(entry);
      if (found === null) this.#faults.push(`${this.#path(key)}: ${entry} does not fit ${shape.source}`);
      return found === null ? [] : [make(found[1] ?? "", found[2] ?? "", found[3] ?? "")];
    });
  }

  texts(key: string): Readonly<Record<string, string>> {
    const mapping = this.sheet(key).#rest;
    for (const [name, value] of mapping)
      if (typeof value !== "string") this.#faults.push(`${this.#path(key)}.${name}: is no text; quote it`);
    return Object.fromEntries([...mapping].map(([name, value]) => [name, String(value)]));
  }

  /** What is there, or an empty one. */
  sheet(key: string): Sheet {
    this.skip(key);
    return new Sheet(this.#path(key), this.#all.get(key) ?? {}, this.#faults);
  }

  sheets(key: string): (readonly [name: string, sheet: Sheet])[] {
    const all = this.sheet(key);
    return [...all.#rest].map(([name, value]) => [
      name,
      new Sheet(all.#path(name), value ?? {}, this.#faults),
    ]);
  }

  /** Nobody asked for what is left. @param ignored keys that may be */
  end(ignored?: RegExp): void {
    for (const key of this.#rest.keys())
      if (ignored?.test(key) !== true) this.#faults.push(`${this.#path(key)}: is not known here`);
  }

  #path(key: string): string {
    return this.#at === "" ? key : `${this.#at}.${key}`;
  }

  #take<T>(key: string, wanted: string, read: (value: unknown) => T | undefined): T | undefined {
    this.skip(key);
    if (!this.has(key)) return undefined;
    const value = read(this.#all.get(key));
    if (value === undefined) this.fault(key, wanted);
    return value;
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");
