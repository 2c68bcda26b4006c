/** The seed of the run of the tests (`TEST_SEED`), or one by chance: whole, of 31 bits. */
export const testSeed = (): number => Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
