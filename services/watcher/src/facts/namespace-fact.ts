import { interning } from "./interning.ts";
import { object, strings, text } from "./json.ts";

export interface NamespaceFact {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resourceVersion: string;
}

/** Cuts a Namespace of the API (plain JSON) to its fact. */
export function namespaceFact(value: unknown): NamespaceFact {
  const metadata = object(object(value)["metadata"]);
  return {
    uid: text(metadata["uid"]),
    name: interning.text(text(metadata["name"])),
    labels: strings(metadata["labels"]),
    resourceVersion: text(metadata["resourceVersion"]),
  };
}
