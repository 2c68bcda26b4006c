import fc from "fast-check";
import t from "tap";
import { lines } from "../../src/kubernetes/lines.ts";

async function* cut(bytes: Uint8Array, at: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...at.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

t.test("the same lines come out however the bytes are cut, also inside a character", async () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.boolean(),
      fc.array(fc.nat({ max: 200 })),
      async (all, ends, cuts) => {
        const bytes = new TextEncoder().encode(all.join("\n") + (ends && all.length > 0 ? "\n" : ""));
        const at = cuts.map((each) => Math.min(each, bytes.length));
        const read: string[] = [];
        for await (const each of lines(cut(bytes, at))) read.push(each);
        if (JSON.stringify(read) !== JSON.stringify(all)) throw new Error(JSON.stringify(read));
      },
    ),
  );
});
