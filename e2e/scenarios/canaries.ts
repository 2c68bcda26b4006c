/** Secrets that were handed to the product, and the search for them in what it says. */
export class Canaries {
  readonly #planted: { readonly what: string; readonly secret: string }[] = [];

  /** @returns the secret, to be handed over */
  plant(what: string, secret: string): string {
    if (secret.trim().length < 8) throw new Error(`${what}: too short to be told from other text`);
    this.#planted.push({ what, secret: secret.trim() });
    return secret;
  }

  get count(): number {
    return this.#planted.length;
  }

  /** The planted secrets that a text holds: as they are, line by line, or in a coding that anybody can undo. */
  in(text: string): string[] {
    return this.#planted
      .filter(({ secret }) => spellings(secret).some((each) => text.includes(each)))
      .map(({ what }) => what);
  }
}

/** Everything that anybody can read of the product, under the name of the place where it stood. */
export class Found {
  readonly texts: [string, string][] = [];

  add(place: string, text: string): void {
    this.texts.push([place, text]);
  }
}

function spellings(secret: string): string[] {
  // Of a key in PEM form one line is enough; its first and last line are no secret.
  const lines = secret.split("\n").filter((line) => line.length >= 8 && !line.startsWith("-----"));
  return lines.flatMap((line) => {
    // As a part of something longer it may begin at any place of a group of three bytes; what its neighbors spoil is cut.
    const shifted = [0, 1, 2].map((shift) => Buffer.from("x".repeat(shift) + line).toString("base64"));
    const coded = shifted.map((text, shift) => text.replace(/=+$/, "").slice(shift === 0 ? 0 : 4, -2));
    return [line, encodeURIComponent(line), Buffer.from(line).toString("hex")].concat(coded);
  });
}
