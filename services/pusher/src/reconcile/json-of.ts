/** What a KV entry of the pusher says. Undefined where it is no JSON: asking again would give the same again. */
export function jsonOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value));
  } catch {
    return undefined;
  }
}
