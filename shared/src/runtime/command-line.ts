import { parseArgs } from "node:util";
import { describeError, UserError } from "./errors.ts";

export interface Command {
  readonly description: string;
  /** Positional arguments, as shown in the usage line. */
  readonly operands?: string;
  readonly options?: Readonly<
    Record<
      string,
      { readonly type: "string" | "boolean"; readonly description: string; readonly default?: string }
    >
  >;
  /** @returns the exit code; nothing = 0 */
  run(
    options: Readonly<Record<string, string | boolean | undefined>>,
    operands: readonly string[],
  ): Promise<number | void>;
}

export interface Program {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly commands: Readonly<Record<string, Command>>;
  /** The one that runs when none is named. */
  readonly fallback: string;
}

/**
 * Runs a program's command. A fault of the user's is one message on standard error and exit code 2.
 *
 * @returns the exit code
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  const named = first !== undefined && !first.startsWith("-");
  const name = named ? first : program.fallback;
  const command = program.commands[name];
  if (first === "--version") return print(`${program.name} ${program.version}`);
  if (first === "--help" || first === "help" || first === "-h") return print(overview(program));
  try {
    if (command === undefined) {
      throw new UserError(
        `unknown command "${name}": use one of ${Object.keys(program.commands).join(", ")}, or --help`,
      );
    }
    const given = named ? rest : args;
    if (given.includes("--help") || given.includes("-h")) return print(usage(program, name, command));
    const { values, positionals } = parse(program, name, command, given);
    return (await command.run(values, positionals)) ?? 0;
  } catch (error) {
    const user = error instanceof UserError;
    process.stderr.write(`${program.name}: ${user ? error.message : describeError(error)}\n`);
    return user ? 2 : 1;
  }
}

function parse(program: Program, name: string, command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options ?? {}).map(([option, { type, default: preset }]) => [
      option,
      { type, ...(preset !== undefined && { default: preset }) },
    ]),
  );
  try {
    return parseArgs({
      args: [...args],
      options,
      allowPositionals: command.operands !== undefined,
      strict: true,
    });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : "";
    throw new UserError(`${message}: see ${program.name} ${name} --help`);
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function overview({ name, version, description, commands, fallback }: Program): string {
  const width = Math.max(...Object.keys(commands).map((each) => each.length));
  const rows = Object.entries(commands).map(
    ([each, command]) =>
      `  ${each.padEnd(width)}  ${command.description}${each === fallback ? " (default)" : ""}`,
  );
  return `${name} ${version}: ${description}\n\nUsage: ${name} [command] [options]\n\n${rows.join("\n")}\n\n${name} <command> --help shows its options; --version the version.`;
}

function usage(program: Program, name: string, command: Command): string {
  const rows = Object.entries(command.options ?? {}).map(
    ([option, { type, description, default: preset }]) =>
      `  --${option}${type === "string" ? " VALUE" : ""}\n      ${description}${preset === undefined ? "" : ` (default ${preset})`}`,
  );
  const operands = command.operands === undefined ? "" : ` ${command.operands}`;
  return `${command.description}\n\nUsage: ${program.name} ${name} [options]${operands}\n\n${rows.join("\n")}`;
}
