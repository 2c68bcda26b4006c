/** Every subject of a cluster's stream as one filter: a consumer's user is given exactly this one. */
export const EVERY_SUBJECT = "podgate.>";

/** Does a NATS subject filter (`*` one token, `>` the rest) cover this subject? */
export function covers(filter: string, subject: string): boolean {
  const want = filter.split(".");
  const has = subject.split(".");
  for (const [index, token] of want.entries()) {
    if (token === ">") return has.length > index;
    if (has[index] === undefined || (token !== "*" && token !== has[index])) return false;
  }
  return want.length === has.length;
}
