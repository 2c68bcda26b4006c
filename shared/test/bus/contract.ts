import type { Test } from "tap";
import { consumeCases } from "./contract-consume.ts";
import { publisherCases } from "./contract-publisher.ts";
import { storeCases } from "./contract-store.ts";
import type { Environment } from "./environment.ts";

export interface Case {
  (name: string, run: (t: Test, env: Environment) => Promise<void>): void;
  /** 1 = one server, 3 = a cluster: some things can only be done to one of them. */
  readonly replicas: 1 | 3;
}

/** What every bus must do: run against the twin in memory, one real server, and a cluster of three. */
export function busContract(
  t: Test,
  replicas: 1 | 3,
  make: () => Promise<Environment>,
  parts: readonly ((add: Case) => void)[] = [storeCases, consumeCases, publisherCases],
): void {
  let made: Promise<Environment> | undefined;
  t.teardown(async () => (await made)?.close());
  const one = (name: string, run: (t: Test, env: Environment) => Promise<void>): void => {
    t.test(name, { timeout: 60_000 }, async (t) => {
      made ??= make();
      await run(t, await made);
    });
  };
  const add: Case = Object.assign(one, { replicas });
  for (const cases of parts) cases(add);
}
