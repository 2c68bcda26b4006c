import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quantiles, type Quantiles } from "../bench/quantiles.ts";
import type { LateWrite } from "./late-writes.ts";
import { command, type ChaosOptions } from "./options.ts";
import { makeForeign, playRound, rest, type Round } from "./round.ts";
import type { Takeovers } from "./turns.ts";
import { prepare } from "./workload.ts";
import { startWorld } from "./world.ts";

const RESULTS = fileURLToPath(new URL("../bench/results/", import.meta.url));

export interface RunOptions extends ChaosOptions {
  /** One line for each round, and for what went wrong. */
  readonly say: (line: string) => void;
}

export interface Report {
  readonly seed: number;
  readonly rounds: number;
  /** What was wrong, by round; empty = nothing ever was. */
  readonly wrong: readonly { readonly seed: number; readonly wrong: readonly string[] }[];
  /** How often each class of disturbance struck. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly changes: number;
  /** How often the device, and a cluster, became another one's. */
  readonly takeovers: Takeovers;
  /** On the device, by the pushers. */
  readonly writes: number;
  /** Those of a pusher that had lost the device. */
  readonly late: readonly LateWrite[];
  /** Milliseconds. */
  readonly removals: Quantiles;
  readonly additions: Quantiles;
  readonly rest: Quantiles;
}

/** Plays rounds on one stack. A round that never comes to rest ends the run: what follows would be worth nothing. */
export async function runChaos({ say, ...options }: RunOptions): Promise<Report> {
  const { rounds, seed: first, leaseSeconds } = options;
  const played: Round[] = [];
  const wrong: { seed: number; wrong: readonly string[] }[] = [];
  const world = await startWorld(leaseSeconds);
  try {
    makeForeign(world.scene);
    await prepare(world.scene);
    await rest(world);
    for (let seed = first; seed < first + rounds; seed += 1) {
      const round = await playRound(world, { ...options, seed }).catch((error: unknown) => String(error));
      if (typeof round === "string") {
        wrong.push({ seed, wrong: [round] });
        say(`round ${seed}: ${round}`);
      } else {
        played.push(round);
        say(words(round));
        if (round.wrong.length > 0) wrong.push({ seed, wrong: round.wrong });
      }
      if (wrong.at(-1)?.seed === seed) {
        const stories = typeof round === "string" ? [] : round.stories;
        const file = keep(seed, [...stories, world.output()].join("\n"));
        say(`  ${file}; again: ${command({ ...options, rounds: 1, seed })}`);
        if (typeof round === "string") break;
      }
    }
  } finally {
    // It tells, too, when a service asked for what it has no right to.
    await world.close().catch((error: unknown) => wrong.push({ seed: first, wrong: [String(error)] }));
  }
  return report(first, played, wrong);
}

function words({ seed, disturbances, changes, restMs, wrong, lateRemovals, late: writes }: Round): string {
  const late = Math.round(Math.max(0, ...lateRemovals));
  const zombies = writes.map(
    ({ service, path, lateMs, changed, undoneMs }) =>
      `; ${service} wrote ${path} ${lateMs} ms too late, ${changed ? `undone after ${undoneMs} ms` : "which changed nothing"}`,
  );
  const verdict = wrong.length === 0 ? "right" : `WRONG: ${wrong.join("; ")}`;
  return `round ${seed}: ${disturbances.join("; ")}; ${changes} changes; at rest after ${restMs} ms; latest removal ${late} ms${zombies.join("")}; ${verdict}`;
}

/** @returns where it is */
function keep(seed: number, output: string): string {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `chaos-${seed}.log`);
  writeFileSync(file, output);
  return `what the services printed is in ${file}`;
}

function report(seed: number, played: readonly Round[], wrong: Report["wrong"]): Report {
  const total = (of: (round: Round) => number): number => played.reduce((sum, round) => sum + of(round), 0);
  const kinds: Record<string, number> = {};
  for (const kind of played.flatMap((round) => round.kinds)) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    seed,
    rounds: played.length,
    wrong,
    kinds,
    changes: total(({ changes }) => changes),
    takeovers: {
      pushers: total(({ takeovers }) => takeovers.pushers),
      watchers: total(({ takeovers }) => takeovers.watchers),
    },
    writes: total(({ writes }) => writes),
    late: played.flatMap(({ late }) => late),
    removals: quantiles(played.flatMap((round) => round.lateRemovals)),
    additions: quantiles(played.flatMap((round) => round.lateAdditions)),
    rest: quantiles(played.map(({ restMs }) => restMs)),
  };
}

export function writeReport(result: Report): string {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `chaos-${result.seed}.json`);
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...result }, undefined, 1)}\n`);
  return file;
}
