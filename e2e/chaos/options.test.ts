import t from "tap";
import { CLASSES } from "./disturbances.ts";
import { command, HELP, parseOptions } from "./options.ts";

t.test("without options ten rounds of every class are played, from a fresh seed", async (t) => {
  const options = { rounds: 10, seed: 77, faults: CLASSES, leaseSeconds: 3 };
  t.strictSame(parseOptions([], 77), { kind: "run", options: { chaos: options, build: true } });
  t.equal(command(options), "npm run chaos -- --rounds 10 --seed 77");
});

t.test("one class, with a shorter lease: what a round prints plays it again", async (t) => {
  const args = ["--rounds", "2", "--seed", "5", "--faults", "pause-pusher,cut", "--lease", "1"];
  const parsed = parseOptions([...args, "--no-build"], 77);
  const options = { rounds: 2, seed: 5, faults: ["pause-pusher", "cut"], leaseSeconds: 1 };
  t.strictSame(parsed, { kind: "run", options: { chaos: options, build: false } });
  t.equal(command(options), `npm run chaos -- ${args.join(" ")}`);
});

t.test("everything that is wrong with a command line is told at once", async (t) => {
  const args = ["--rounds", "0", "--seed", "x", "--lease", "0", "--faults", "cut,none-such,constructor"];
  t.strictSame(parseOptions(args, 1), {
    kind: "faults",
    faults: [
      "--faults none-such: no such class; --help lists them",
      "--faults constructor: no such class; --help lists them",
      "--rounds 0: give a whole number from 1 to 1000000",
      "--seed x: give a whole number from 0 to 4294967295",
      "--lease 0: give a whole number from 1 to 60",
    ],
  });
  t.match(parseOptions(["--nonsense"], 1), { kind: "faults", faults: [/--nonsense.*--help/] });
});

t.test("--help names every option and every class", async (t) => {
  t.strictSame(parseOptions(["--help"], 1), { kind: "help" });
  for (const word of ["--rounds", "--seed", "--faults", "--lease", "--no-build", ...CLASSES])
    t.match(HELP, word);
});
