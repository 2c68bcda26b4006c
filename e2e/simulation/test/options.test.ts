import t from "tap";
import { HELP, parseOptions } from "../options.ts";

t.test("without options it runs with every class of faults and a fresh seed", (t) => {
  const parsed = parseOptions([], 77);
  t.match(parsed, { kind: "run", options: { seed: 77, steps: 400, clusters: 2, runs: 1 } });
  t.ok(parsed.kind === "run" && parsed.options.faults.includes("bus-wiped"));
  t.end();
});

t.test("everything that is wrong with a command line is told at once", (t) => {
  const parsed = parseOptions(["--seed", "x", "--clusters", "9", "--faults", "bus-wiped,none-such"], 1);
  t.same(parsed, {
    kind: "faults",
    faults: [
      "--faults none-such: no such class; --help lists them",
      "--seed x: give a whole number from 0 to 4294967295",
      "--clusters 9: give a whole number from 1 to 8",
    ],
  });
  t.match(parseOptions(["--nonsense"], 1), { kind: "faults", faults: [/--nonsense.*--help/] });
  t.end();
});

t.test("--help names every option and every class of faults", (t) => {
  t.same(parseOptions(["--help"], 1), { kind: "help" });
  for (const word of ["--seed", "--steps", "--clusters", "--faults", "--verbose", "device-401"])
    t.match(HELP, word);
  t.end();
});
