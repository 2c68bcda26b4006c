import { UserError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** Called with a value that was given. @throws UserError where it is none, with the whole message */
type Check = (value: string) => unknown;

export interface Option {
  readonly type: "string" | "boolean";
  readonly description: string;
  readonly default?: string;
  readonly check?: Check;
}

/** The one word beside the options. */
export interface Operand {
  /** As shown in the usage line. */
  readonly name: string;
  readonly optional?: true;
  readonly check?: Check;
}

/** What a command takes after its name. */
export interface Accepted {
  readonly options?: Readonly<Record<string, Option>>;
  readonly operand?: Operand;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** The words after a command's name, read. `parseArgs` of node:util would tell of the first fault only. */
export class Arguments {
  readonly #accepted: Accepted;
  readonly #help: string;
  readonly #options: Record<string, string | boolean | undefined> = {};
  readonly #operands: string[] = [];
  readonly #faults: string[] = [];

  /** @param help the command line that shows what is accepted, for messages */
  constructor(words: readonly string[], accepted: Accepted, help: string) {
    this.#accepted = accepted;
    this.#help = help;
    for (const [name, option] of Object.entries(accepted.options ?? {}))
      if (option.default !== undefined) this.#options[name] = option.default;
    const rest = [...words];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (word === "--") this.#operands.push(...rest.splice(0));
      else if (word.startsWith("-")) this.#takeOption(word, rest);
      else this.#operands.push(word);
    }
    this.#judgeOperands();
  }

  /** Defaults filled in. */
  get options(): OptionValues {
    return this.#options;
  }

  /** Empty where none was given. */
  get operand(): string {
    return this.#accepted.operand === undefined ? "" : (this.#operands[0] ?? "");
  }

  /** Everything that is wrong, a line each. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** @param rest the words after it, of which it may take its value */
  #takeOption(word: string, rest: string[]): void {
    const [spelled = "", inline] = word.split(/=(.*)/s);
    const known = this.#accepted.options ?? {};
    const given = spelled.slice(2);
    // A misspelled one takes its value with it: that is no fault of its own.
    const name = Object.hasOwn(known, given) ? given : nearest(given, Object.keys(known));
    const option = name === undefined ? undefined : known[name];
    if (name === undefined || option === undefined) {
      this.#faults.push(`${spelled}: no such option; ${this.#help} lists them`);
      return;
    }
    if (spelled !== `--${name}`) this.#faults.push(`${spelled}: no such option; did you mean --${name}?`);
    if (option.type === "boolean") {
      if (inline !== undefined) this.#faults.push(`${word}: it takes no value`);
      this.#options[name] = true;
      return;
    }
    const value = inline ?? (rest[0]?.startsWith("--") === false ? rest.shift() : undefined);
    if (value === undefined) this.#faults.push(`${spelled}: give it a value, as --${name}=VALUE`);
    else {
      this.#options[name] = value;
      this.#judge(option, value);
    }
  }

  #judgeOperands(): void {
    const { operand } = this.#accepted;
    for (const word of this.#operands.slice(operand === undefined ? 0 : 1))
      this.#faults.push(`${word}: one word too many; ${this.#help} shows what is taken`);
    if (operand === undefined) return;
    if (this.operand !== "") this.#judge(operand, this.operand);
    else if (operand.optional !== true)
      this.#faults.push(`${operand.name} is missing; ${this.#help} shows where`);
  }

  #judge({ check }: Option | Operand, value: string): void {
    try {
      check?.(value);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#faults.push(error.message);
    }
  }
}
