import { readFileSync } from "node:fs";

/** Reads a file's text. @throws an error with a `code` */
export type ReadText = (file: string) => string;

export const readText: ReadText = (file) => readFileSync(file, "utf8");

/** A file that a target needs cannot be used. Names the file, never what is in it. */
export class FileFault extends Error {
  override name = "FileFault";
}

/** Anything else would end the header, and be shown in an error. */
const TOKEN = /^[\x21-\x7e]{1,512}$/;

/**
 * The token in a file, read at each call: a file costs microseconds, and a mounted Secret is swapped by a symlink
 * that no watch on the file itself notices.
 *
 * @throws FileFault
 */
export function tokenIn(file: string, read: ReadText = readText): string {
  const token = textIn("token file", file, read).trim();
  if (!TOKEN.test(token)) {
    throw new FileFault(
      `the token file ${file} ${token === "" ? "is empty" : "holds more than a token"}: write the token of a REST API administrator into it, and nothing else`,
    );
  }
  return token;
}

/** The certificates in a PEM file. @throws FileFault */
export function certificatesIn(file: string, read: ReadText = readText): string {
  const pem = textIn("CA file", file, read);
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new FileFault(`the CA file ${file} holds no certificate in PEM form`);
  }
  return pem;
}

function textIn(what: string, file: string, read: ReadText): string {
  try {
    return read(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new FileFault(`the ${what} ${file} cannot be read (${code})`);
  }
}
