import fc from "fast-check";
import t from "tap";
import {
  addMember,
  NameError,
  one,
  removeMember,
  usage,
} from "../../../src/firewall/fortigate/wire/request.ts";

t.test("a key that would be folded away is never put into a URL", async (t) => {
  for (const key of ["", ".", ".."]) {
    t.throws(() => one("DELETE", "address", key), NameError);
    t.throws(() => one("GET", "addrgrp", key), NameError);
    t.throws(() => addMember("addrgrp", key, "a"), NameError);
    t.throws(() => removeMember("addrgrp", "g", key), NameError);
    t.throws(() => removeMember("addrgrp", key, "m"), NameError);
  }
});

t.test("a URL parser reads the same segments, whatever the name", async () => {
  const name = fc.string({ minLength: 1 }).filter((text) => text !== "." && text !== "..");
  fc.assert(
    fc.property(name, name, (group, member) => {
      const { path } = removeMember("addrgrp", group, member);
      const segments = new URL(`https://device${path}`).pathname.split("/");
      return (
        segments.length === 9 &&
        decodeURIComponent(segments[6] ?? "") === group &&
        decodeURIComponent(segments[8] ?? "") === member
      );
    }),
  );
});

t.test("templates hold no names", async (t) => {
  const requests = [
    one("PUT", "address", "secret"),
    addMember("addrgrp", "secret", "m"),
    usage("address", "secret"),
  ];
  for (const { template } of requests) t.notMatch(template, "secret");
});
