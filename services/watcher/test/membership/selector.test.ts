import t from "tap";
import type { LabelRequirement, LabelSelector } from "../../src/membership/group-definition.ts";
import { matches, selectorFaults } from "../../src/membership/selector.ts";

const need = (key: string, operator: LabelRequirement["operator"], ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const CASES: readonly [string, LabelSelector, Record<string, string>, boolean][] = [
  ["an empty selector matches everything", {}, { a: "1" }, true],
  ["an empty selector matches no labels", {}, {}, true],
  ["matchLabels needs every label", { matchLabels: { a: "1", b: "2" } }, { a: "1" }, false],
  ["matchLabels takes more labels", { matchLabels: { a: "1" } }, { a: "1", b: "2" }, true],
  ["an empty value is a value", { matchLabels: { a: "" } }, {}, false],
  ["an empty value equals an empty value", { matchLabels: { a: "" } }, { a: "" }, true],
  ["In with one of the values", need("a", "In", "1", "2"), { a: "2" }, true],
  ["In with another value", need("a", "In", "1", "2"), { a: "3" }, false],
  ["In without the key", need("a", "In", "1"), {}, false],
  ["NotIn with another value", need("a", "NotIn", "1"), { a: "2" }, true],
  ["NotIn with the value", need("a", "NotIn", "1"), { a: "1" }, false],
  ["NotIn without the key matches", need("a", "NotIn", "1"), {}, true],
  ["Exists with the key, even if empty", need("a", "Exists"), { a: "" }, true],
  ["Exists without the key", need("a", "Exists"), { b: "1" }, false],
  ["DoesNotExist with the key", need("a", "DoesNotExist"), { a: "" }, false],
  ["DoesNotExist without the key", need("a", "DoesNotExist"), {}, true],
  ["a key named like a method of objects is absent", need("constructor", "Exists"), {}, false],
  ["a key named like a method does not exist", need("toString", "DoesNotExist"), {}, true],
  [
    "both parts must hold",
    { matchLabels: { a: "1" }, matchExpressions: [{ key: "b", operator: "Exists" }] },
    { a: "1" },
    false,
  ],
  [
    "every expression must hold",
    {
      matchExpressions: [
        { key: "a", operator: "Exists" },
        { key: "b", operator: "DoesNotExist" },
      ],
    },
    { a: "1", b: "2" },
    false,
  ],
];
for (const [what, selector, labels, expected] of CASES) {
  t.test(`selector: ${what}`, async (t) => t.equal(matches(selector, labels), expected));
}

const GOOD: readonly unknown[] = [
  undefined,
  {},
  { matchLabels: { "app.kubernetes.io/name": "web", a: "" } },
  { matchLabels: null, matchExpressions: null },
  { matchExpressions: [{ key: "a", operator: "In", values: ["1", ""] }] },
  { matchExpressions: [{ key: "a", operator: "Exists", values: null }] },
];
for (const selector of GOOD) {
  t.test(`right: ${JSON.stringify(selector)}`, async (t) =>
    t.strictSame(selectorFaults(selector, "spec.podSelector"), []),
  );
}

const BAD: readonly [unknown, readonly RegExp[]][] = [
  ["app=web", [/^s: must be an object/]],
  [{ labels: {} }, [/^s\.labels: is no field of a selector; use matchLabels/]],
  [{ matchLabels: [] }, [/^s\.matchLabels: must map/]],
  [{ matchLabels: { "-a": "1", a: "-", b: 7 } }, [/"-a" is no label key/, /^s\.matchLabels\.a: "-"/, /b: 7/]],
  [{ matchExpressions: {} }, [/^s\.matchExpressions: must be a list/]],
  [{ matchExpressions: ["a"] }, [/^s\.matchExpressions\[0\]: must be an object/]],
  [
    { matchExpressions: [{ key: "", operator: "Is", values: [] }] },
    [
      /\[0\]\.key: "" is no label key/,
      /\[0\]\.operator: "Is" must be one of In, NotIn, Exists, DoesNotExist/,
    ],
  ],
  [{ matchExpressions: [{ key: "a" }] }, [/operator: nothing must be one of/]],
  [{ matchExpressions: [{ key: "a", operator: {} }] }, [/operator: {} must be one of/]],
  [{ matchExpressions: [{ key: "a", operator: "In", values: [] }] }, [/values: In needs at least one value/]],
  [{ matchExpressions: [{ key: "a", operator: "Exists", values: ["1"] }] }, [/must be empty with Exists/]],
  [{ matchExpressions: [{ key: "a", operator: "NotIn", values: "1" }] }, [/values: must be a list/]],
  [{ matchExpressions: [{ key: "a", operator: "In", values: ["ü", "x".repeat(64)] }] }, [/"ü"/, /"x{64}"/]],
];
for (const [selector, faults] of BAD) {
  t.test(`all faults at once: ${JSON.stringify(selector)}`, async (t) => {
    const found = selectorFaults(selector, "s");
    t.equal(found.length, faults.length, found.join("\n"));
    for (const [at, fault] of faults.entries()) t.match(found[at], fault);
  });
}
