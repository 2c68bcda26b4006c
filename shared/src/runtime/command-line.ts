import { Arguments, type Accepted, type OptionValues } from "./arguments.ts";
import { onCrash } from "./crash.ts";
import { describeError, UserError } from "./errors.ts";
import { nearest } from "./nearest.ts";

export interface Command extends Accepted {
  readonly description: string;
  /**
   * @param operand empty where none was given
   * @returns the exit code; nothing = 0
   */
  run(options: OptionValues, operand: string): Promise<number | void>;
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
 * Runs a program's command. Faults of the user's are one message on standard error and exit code 2.
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
  if (command === undefined) throw new UserError(unknownCommand(name, Object.keys(program.commands)));
  const given = named ? rest : args;
  if (given.includes("--help") || given.includes("-h")) return print(usage(program, name, command));
  if (given.includes("--version")) return print(`${program.name} ${program.version}`);
  const { options, operand, faults } = new Arguments(given, command, `${program.name} ${name} --help`);
  if (faults.length > 0) throw new UserError(asOne(faults));
  return (await command.run(options, operand)) ?? 0;
}

function unknownCommand(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const way =
    meant === undefined
      ? `use one of ${known.join(", ")}, or --help`
      : `did you mean ${meant}? --help lists the commands`;
  return `unknown command "${name}": ${way}`;
}

function asOne(faults: readonly string[]): string {
  const [first = "", ...more] = faults;
  if (more.length === 0) return first;
  return `the command line has ${faults.length} faults:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
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
  const rows = optionRows(command);
  const { operand } = command;
  const words = [
    ...(rows === "" ? [] : ["[options]"]),
    ...(operand === undefined ? [] : [operand.optional === true ? `[${operand.name}]` : operand.name]),
  ];
  const line = `Usage: ${[program.name, name, ...words].join(" ")}`;
  return [command.description, line, ...(rows === "" ? [] : [rows])].join("\n\n");
}

function optionRows({ options = {} }: Command): string {
  return Object.entries(options)
    .map(
      ([option, { type, description, default: preset }]) =>
        `  --${option}${type === "string" ? " VALUE" : ""}\n      ${description}${preset === undefined ? "" : ` (default ${preset})`}`,
    )
    .join("\n");
}
