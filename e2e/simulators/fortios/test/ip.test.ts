import fc from "fast-check";
import t from "tap";
import { formatIPv4, formatIPv6, lengthMask, maskLength, network6, parseIPv4, parseIPv6 } from "../src/ip.ts";

t.test("IPv4 comes back as it went", async (t) => {
  fc.assert(fc.property(fc.ipV4(), (text) => formatIPv4(parseIPv4(text) ?? -1) === text));
  for (let length = 0; length <= 32; length += 1) t.equal(maskLength(lengthMask(length)), length);
  for (const mask of ["255.0.255.0", "0.0.0.1", "254.255.255.255"])
    t.equal(maskLength(parseIPv4(mask) ?? 0), null, mask);
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d"])
    t.equal(parseIPv4(text), null, text);
});

t.test("IPv6 keeps its value, and its short form is stable", async (t) => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      (value) => parseIPv6(formatIPv6(value)) === value,
    ),
  );
  fc.assert(
    fc.property(fc.ipV6(), (text) => parseIPv6(formatIPv6(parseIPv6(text) ?? -1n)) === parseIPv6(text)),
  );
  const cases: [string, string | null][] = [
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7", null],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1::2::3", null],
    [":::", null],
    ["fe80::1%eth0", null],
    ["::ffff:300.0.2.1", null],
    ["", null],
  ];
  for (const [text, expected] of cases) {
    const value = parseIPv6(text);
    t.equal(value === null ? null : formatIPv6(value), expected, text);
  }
  t.equal(formatIPv6(network6(parseIPv6("2001:db8:1:2:3::4") ?? 0n, 48)), "2001:db8:1::");
  t.equal(formatIPv6(network6(parseIPv6("2001:db8::4") ?? 0n, 0)), "::");
});
