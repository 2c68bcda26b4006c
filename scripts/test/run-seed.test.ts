import t from "tap";
import { runSeed } from "../run-seed.ts";

const tree = "d50a1b2c3e";

t.test(
  "a commit is tested with a seed of its own, every time the same; a seed that is given comes first",
  async (t) => {
    t.equal(
      runSeed(undefined, () => tree),
      0x550a1b2c,
    );
    t.equal(
      runSeed("17", () => tree),
      17,
    );
    t.equal(
      runSeed("0", () => tree),
      0,
    );
    const chance = runSeed(undefined, () => {
      throw new Error("not a git repository");
    });
    t.ok(Number.isInteger(chance) && chance >= 0 && chance < 2 ** 31);
  },
);

t.test("a seed that is none says what one is", async (t) => {
  for (const given of ["", "x", "-1", "1.5", "2147483648"])
    t.throws(() => runSeed(given), {
      message: `TEST_SEED: "${given}" must be a whole number from 0 to 2147483647`,
    });
});
