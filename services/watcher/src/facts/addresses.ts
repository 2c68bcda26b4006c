import { canonicalAddress } from "@podgate/shared/contract/address";

export interface AddressReading {
  /** Canonical, each once, in the order they stood. */
  readonly addresses: readonly string[];
  /** Texts that are no address a firewall could ever see as a source. */
  readonly rejected: readonly string[];
}

const NONE: readonly string[] = [];

/**
 * The usable ones among addresses as the API server has them. Dropped and reported: what is not canonical (see
 * `canonicalAddress`), and loopback, link-local, multicast and the broadcast address, which never cross a firewall
 * and would only widen a group. Empty texts (not reported yet) are no fault.
 */
export function addressesOf(texts: readonly string[]): AddressReading {
  const addresses: string[] = [];
  const rejected: string[] = [];
  for (const text of texts) {
    if (text === "") continue;
    const address = usable(text);
    if (address === undefined) rejected.push(text);
    else if (!addresses.includes(address)) addresses.push(address);
  }
  // A copy has room for just what it holds; an array that grew keeps room for 17.
  return { addresses: addresses.length === 0 ? NONE : addresses.slice(), rejected };
}

/** 127/8, 169.254/16, 224/4, 255.255.255.255, ::1, fe80::/10, ff00::/8; 240/4 is used by some clusters. */
const UNUSABLE =
  /^(?:127\.|169\.254\.|2(?:2[4-9]|3\d)\.|255\.255\.255\.255$|::1$|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:)/;

function usable(text: string): string | undefined {
  try {
    const address = canonicalAddress(text);
    return UNUSABLE.test(address) ? undefined : address;
  } catch {
    return undefined;
  }
}
