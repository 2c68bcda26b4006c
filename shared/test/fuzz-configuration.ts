import fc from "fast-check";
import type { Test } from "tap";
import { stringify } from "yaml";
import type { z } from "zod";
import { variableOf } from "../src/runtime/config-environment.ts";
import { fieldsOf, schemaOf } from "../src/runtime/config-schema.ts";
import { loadConfig, showConfig } from "../src/runtime/config.ts";
import { UserError } from "../src/runtime/errors.ts";
import { deepJson, junk, nastyText, replaced, spoiled } from "./junk.ts";

/** What nobody may find in a message. */
const CANARY = "canary-9f8e7d6c";
/** No field takes this. */
const WRONG = [["wrong"]];

const pathOf = (path: readonly string[]): string[] => path.map((name) => (name === "[]" ? "0" : name));
const written = (path: readonly string[]): string => path.join(".").replaceAll(".[]", "[0]");
const has = (value: unknown, [first, ...rest]: readonly string[]): boolean =>
  first === undefined ||
  (typeof value === "object" &&
    value !== null &&
    first in value &&
    has(value[first as keyof typeof value], rest));

/** No stack, no object as text, no endless line: of each fault its field and what to do. */
function requireClear(message: string): void {
  const [heading = "", ...lines] = message.split("\n");
  if (!heading.includes("podgate.yaml")) throw new Error(`no file in: ${heading.slice(0, 200)}`);
  for (const line of lines) {
    if (/^\s+at .*:\d+:\d+/.test(line)) throw new Error(`a stack: ${line.slice(0, 200)}`);
    if (line.length > 2000) throw new Error(`a line of ${line.length} characters: ${line.slice(0, 200)}`);
    if (line.includes("[object ")) throw new Error(`an object as text: ${line.slice(0, 200)}`);
    if (!/^ {2}\S.*: \S/s.test(line)) throw new Error(`no field and remedy: ${line.slice(0, 200)}`);
  }
}

/** What can be done wrong in a service's configuration is told as a user can act on it. @param right every field once */
export function fuzzConfiguration<T>(t: Test, service: string, schema: z.ZodType<T>, right: object): void {
  const load = (text: string, env: Record<string, string> = {}): T =>
    loadConfig(schema, { file: "podgate.yaml", env, read: () => text });
  /** Undefined where it is taken. @throws what is no fault of the user's */
  const told = (text: string, env: Record<string, string> = {}): string | undefined => {
    try {
      showConfig(load(text, env));
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  };
  const fields = fieldsOf(schemaOf(schema));
  /** Of leaves: a section that is wrong hides what is in it. */
  const leaves = fields.filter(
    ({ path }) =>
      !fields.some(
        (other) => other.path.length > path.length && other.path.join().startsWith(`${path.join()},`),
      ),
  );

  t.test(
    `${service}: the configuration that is spoiled here is right, and names fields of every section`,
    (t) => {
      t.equal(told(stringify(right)), undefined);
      t.end();
    },
  );

  t.test(`${service}: junk in any field is taken or told in lines that name field and remedy`, (t) => {
    const property = fc.property(spoiled(right), (value) => {
      const message = told(stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }) ?? "");
      if (message !== undefined) requireClear(message);
    });
    fc.assert(property, { numRuns: 400 });
    t.end();
  });

  t.test(`${service}: each field that holds what it cannot hold is named, all of them at once`, (t) => {
    const known = leaves.filter(({ path }) => has(right, pathOf(path)));
    fc.assert(
      fc.property(fc.subarray(known, { minLength: 1 }), (some) => {
        const value = some.reduce<unknown>((all, { path }) => replaced(all, pathOf(path), WRONG), right);
        const lines = (told(stringify(value)) ?? "").split("\n").map((line) => line.trim());
        const silent = some.filter(({ path }) => !lines.some((line) => line.startsWith(written(path))));
        if (silent.length > 0)
          throw new Error(
            `not named: ${silent.map(({ path }) => written(path)).join(", ")}\n${lines.join("\n")}`,
          );
      }),
      { numRuns: 100 },
    );
    t.end();
  });

  t.test(`${service}: a secret in a place that is wrong is never shown`, (t) => {
    for (const name of ["password", "token", "nkeySeed", "creds", "apiKey", "privateKey"])
      for (const value of [CANARY, [CANARY], { value: CANARY }])
        for (const { path } of [{ path: [] }, ...fields]) {
          const at = pathOf(path);
          const section = at.reduce<unknown>(
            (all, part) => (all as Record<string, unknown> | undefined)?.[part],
            right,
          );
          if (typeof section !== "object" || section === null || Array.isArray(section)) continue;
          const message = told(stringify(replaced(right, at, { ...section, [name]: value }))) ?? "";
          t.notOk(message.includes(CANARY), `${at.join(".")} ${name}`);
        }
    t.end();
  });

  t.test(`${service}: a file that nests too deeply is told in one line`, (t) => {
    for (const text of [deepJson(), "- ".repeat(20_000), `{ log: ${deepJson()} }`]) {
      const message = told(text);
      t.match(message, /podgate\.yaml is nested too deeply/);
    }
    t.end();
  });

  t.test(`${service}: any text as a file, and anything in the environment, is taken or told`, (t) => {
    fc.assert(
      fc.property(
        fc.oneof(
          nastyText,
          fc.string({ maxLength: 200 }),
          junk.map((value) => JSON.stringify(value) ?? ""),
        ),
        (text) => {
          told(text);
        },
      ),
      { numRuns: 300 },
    );
    const names = fields.filter(({ path }) => !path.includes("[]")).map(({ path }) => variableOf(path));
    const variable = fc.tuple(
      fc.constantFrom(...names),
      fc.oneof(
        nastyText,
        junk.map((value) => JSON.stringify(value) ?? ""),
      ),
    );
    fc.assert(
      fc.property(fc.array(variable, { minLength: 1, maxLength: 3 }), (env) => {
        const message = told(stringify(right), Object.fromEntries(env));
        if (message !== undefined && /^\s+at .*:\d+:\d+/m.test(message))
          throw new Error(`a stack: ${message}`);
      }),
      { numRuns: 300 },
    );
    t.end();
  });
}
