// Loaded before a test file: its properties draw from the seed of the run.
import fc from "fast-check";

const seed = process.env["TEST_SEED"];
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
