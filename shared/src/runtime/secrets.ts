const SECRET_NAME =
  /token|passw(or)?d|passphrase|secret|authorization|creds|credential|cookie|nkey|seed|(private|api|access|session)[-_]?key|key-?data/i;

/** True of a field whose value is a secret by its name. `…File` holds the path of one, which is none itself. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/_?file$/i.test(name);
}

const MASK = "***";

/** What secrets look like inside a text that was not meant to hold one, such as the message of a library's error. */
const SECRETS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  // User and password of a URL; the last @ before the path, as a password may hold one.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"']+@/gi, `$1${MASK}@`],
  [/\b(Bearer)\s+[^\s"',;]{6,}/gi, `$1 ${MASK}`],
  [/\b(Basic)\s+(?=[A-Za-z0-9+/]*[0-9=])[A-Za-z0-9+/]{6,}=*/gi, `$1 ${MASK}`],
  [/\b(\w*(?:token|password|passwd|secret|api_?key))=[^\s&"',;]+/gi, `$1=${MASK}`],
  [/("\w*(?:token|password|passwd|secret|api_?key)"\s*:\s*)"[^"]*"/gi, `$1"${MASK}"`],
  // A JWT, as of a service account or a creds file.
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, MASK],
  // The seed of an nkey: S, kind, and 56 characters of base32.
  [/\bS[ACNOUX][A-Z2-7]{56}\b/g, MASK],
];

/** The text with everything masked that looks like a secret. */
export function maskText(text: string): string {
  return SECRETS.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text);
}
