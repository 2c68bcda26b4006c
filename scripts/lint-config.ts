import { overrides } from "./borders.ts";

/** The whole of .oxlintrc.json: a later override replaces an earlier one there, so it is made in one piece. */
export function lintConfig(): string {
  const config = {
    $schema: "./node_modules/oxlint/configuration_schema.json",
    plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node"],
    categories: { correctness: "error", suspicious: "error", perf: "error" },
    env: { builtin: true, node: true },
    ignorePatterns: ["**/dist/**", "**/node_modules/**", ".tap/**"],
    rules: {
      "import/no-cycle": "error",
      "import/no-unassigned-import": "off",
      "import/no-dynamic-require": ["error", { esmodule: true }],
      "unicorn/prefer-node-protocol": "error",
      "no-await-in-loop": "off",
      eqeqeq: "error",
      "typescript/no-explicit-any": "error",
      "typescript/consistent-type-imports": "error",
      "typescript/no-floating-promises": "error",
      "no-shadow": ["error", { allow: ["t"] }],
      "import/no-named-as-default-member": "off",
      "typescript/no-unsafe-type-assertion": "off",
    },
    overrides: overrides(),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
