import { Failure } from "./failure.ts";
import { record, type Item } from "./item.ts";

/**
 * `labelSelector` with `key`, `!key`, `key=value`, `key!=value`; `fieldSelector` with `metadata.name` and
 * `metadata.namespace`. Anything else is refused, never ignored. @throws Failure 400
 */
export function selectorOf(query: URLSearchParams): ((item: Item) => boolean) | undefined {
  const labels = termsOf(query.get("labelSelector")).map(labelTerm);
  const fields = termsOf(query.get("fieldSelector")).map(fieldTerm);
  if (labels.length === 0 && fields.length === 0) return undefined;
  return (item) => {
    if (!fields.every((test) => test(item))) return false;
    if (labels.length === 0) return true;
    const metadata = record(record(JSON.parse(item.json(false)))["metadata"]);
    return labels.every((test) => test(record(metadata["labels"])));
  };
}

const termsOf = (text: string | null): string[] => (text ?? "").split(",").filter((term) => term !== "");

function labelTerm(term: string): (labels: Readonly<Record<string, unknown>>) => boolean {
  const [, not, key, operator, value] = /^(!?)([\w./-]+)(?:(==?|!=)([\w.-]*))?$/.exec(term) ?? [];
  if (key === undefined || (not === "!" && operator !== undefined)) {
    throw new Failure(400, `unable to parse requirement: "${term}" is not simulated`);
  }
  if (operator === undefined) return (labels) => key in labels !== (not === "!");
  return (labels) => (labels[key] === value) === (operator !== "!=");
}

function fieldTerm(term: string): (item: Item) => boolean {
  const [, field, value] = /^metadata\.(name|namespace)==?(.+)$/.exec(term) ?? [];
  if (field === undefined) throw new Failure(400, `field label not supported: "${term}"`);
  if (field === "namespace") return (item) => item.namespace === value;
  return (item) => item.key.slice(item.namespace === "" ? 0 : item.namespace.length + 1) === value;
}
