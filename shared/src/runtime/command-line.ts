import { parseArgs } from "node:util";
import { onCrash } from "./crash.ts";
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
  const say = (text: string): void => void process.stderr.write(`${program.name}: ${text}\n`);
  const calm = onCrash((error) => say(describeError(error)));
  try {
    return await dispatch(program, args);
  } catch (error) {
    const user = error instanceof UserError;
    say(user ? error.message : describeError(error));
    return user ? 2 : 1;
  } finally {
    calm();
  }
}

async function dispatch(program: Program, args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  const named = first !== undefined && !first.startsWith("-");
  const name = named ? first : program.fallback;
  const command = Object.hasOwn(program.commands, name) ? program.commands[name] : undefined;
  if (first === "--version") return print(`${program.name} ${program.version}`);
  if (first === "--help" || first === "help" || first === "-h") return print(overview(program));
  if (command === undefined)
    throw new UserError(
      `unknown command "${name}": use one of ${Object.keys(program.commands).join(", ")}, or --help`,
    );
  const given = named ? rest : args;
  if (given.includes("--help") || given.includes("-h")) return print(usage(program, name, command));
  if (given.includes("--version")) return print(`${program.name} ${program.version}`);
  const { values, positionals } = parse(program, name, command, given);
  return (await command.run(values, positionals)) ?? 0;
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
    const message = error instanceof Error ? (error.message.split(/\.\s/)[0] ?? "") : "";
    throw new UserError(`${message}: see ${program.name} ${name} --help`);
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function overview(program: Program): string {
  const { name, version, description, commands, fallback } = program;
  const width = Math.max(...Object.keys(commands).map((each) => each.length));
  const rows = Object.entries(commands).map(
    ([each, command]) =>
      `  ${each.padEnd(width)}  ${command.description}${each === fallback ? " (default)" : ""}`,
  );
  const preset = commands[fallback];
  return [
    `${name} ${version}: ${description}`,
    `Usage: ${name} [command] [options]`,
    rows.join("\n"),
    ...(preset?.options === undefined ? [] : [`Options of ${fallback}:\n${optionRows(preset)}`]),
    `${name} <command> --help shows the options of a command, ${name} --version the version.`,
  ].join("\n\n");
}

function usage(program: Program, name: string, command: Command): string {
  const operands = command.operands === undefined ? "" : ` ${command.operands}`;
  const rows = optionRows(command);
  return `${command.description}\n\nUsage: ${program.name} ${name}${rows === "" ? "" : " [options]"}${operands}${rows === "" ? "" : `\n\n${rows}`}`;
}

function optionRows({ options = {} }: Command): string {
  return Object.entries(options)
    .map(
      ([option, { type, description, default: preset }]) =>
        `  --${option}${type === "string" ? " VALUE" : ""}\n      ${description}${preset === undefined ? "" : ` (default ${preset})`}`,
    )
    .join("\n");
}
