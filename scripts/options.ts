import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; strict: true }>
>["values"];

export type Parsed<T> =
  | { readonly kind: "help" }
  /** Everything that is wrong with the command line, a line each. */
  | { readonly kind: "faults"; readonly faults: readonly string[] }
  | { readonly kind: "run"; readonly options: T };

const HELP = { type: "boolean", short: "h" } as const;
const SEE = "--help lists the options";

/** A command line, and what is wrong with it as far as it was read. */
export class Given<O extends ParseArgsOptionsConfig> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
  readonly faults: string[];

  constructor(values: Values<O>, operands: readonly string[], faults: string[]) {
    this.values = values;
    this.operands = operands;
    this.faults = faults;
  }

  /** The whole number that an option gives, or the preset. */
  whole(name: keyof Values<O> & string, preset: number, from: number, to: number): number {
    const text = String(this.values[name] ?? preset);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to)
      this.faults.push(`--${name} ${text}: give a whole number from ${from} to ${to}`);
    return value;
  }

  /** @param what before each name in messages: `--only `; nothing for operands */
  among(what: string, names: readonly string[], known: readonly string[]): void {
    for (const name of names)
      if (!known.includes(name)) this.faults.push(`${what}${name}: use one of ${known.join(", ")}`);
  }
}

/**
 * Reads the command line of a developer's command; `--help` is in every one. The product's programs have a reader of
 * their own: simulators are started by this one, and share no code with the product.
 *
 * @param options as for `parseArgs`
 * @param read makes of it what the command wants, and adds what is wrong with the values
 * @param takesOperands whether words that are no options mean something
 */
export function parseCommand<const O extends ParseArgsOptionsConfig, T>(
  args: readonly string[],
  options: O,
  read: (given: Given<O>) => T,
  takesOperands = false,
): Parsed<T> {
  const faults: string[] = [];
  const { values, positionals, tokens } = parseArgs({
    args: withValues(args, options, faults),
    options: { ...options, help: HELP },
    // Strict, it tells of the first fault only.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values["help"] === true) return { kind: "help" };
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) faults.push(`${token.rawName}: no such option; ${SEE}`);
    else if (option.type === "boolean" && token.value !== undefined)
      faults.push(`${token.rawName}=${token.value}: it takes no value`);
  }
  if (!takesOperands) for (const word of positionals) faults.push(`${word}: no option; ${SEE}`);
  const given = new Given<O>(values, positionals, faults);
  const result = read(given);
  return faults.length > 0 ? { kind: "faults", faults } : { kind: "run", options: result };
}

/** Without the options that lack their value: they would take the option after them for it. */
function withValues(args: readonly string[], options: ParseArgsOptionsConfig, faults: string[]): string[] {
  return args.filter((word, at) => {
    const name = word.slice(2);
    if (!word.startsWith("--") || !Object.hasOwn(options, name) || options[name]?.type !== "string")
      return true;
    if (args[at + 1]?.startsWith("--") === false) return true;
    faults.push(`${word}: give it a value, as ${word}=VALUE`);
    return false;
  });
}

/** What a command was asked to do. Help and faults end the process, with 0 and 2. */
export function optionsOr<T>(help: string, parsed: Parsed<T>): T {
  if (parsed.kind === "run") return parsed.options;
  if (parsed.kind === "help") console.log(help);
  else for (const fault of parsed.faults) console.error(fault);
  return process.exit(parsed.kind === "help" ? 0 : 2);
}
