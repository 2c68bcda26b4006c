import t from "tap";
import { isOlder, newest } from "../../src/kubernetes/resource-version.ts";

t.test("versions are compared as numbers, beyond what a double holds; what is none is the oldest", (t) => {
  t.equal(isOlder("9", "10"), true);
  t.equal(isOlder("10", "9"), false);
  t.equal(isOlder("10", "10"), false);
  t.equal(isOlder("9007199254740992", "9007199254740993"), true);
  t.equal(isOlder("", "1"), true);
  t.equal(isOlder("x", "1"), true);
  t.equal(isOlder("1", "x"), false);
  t.end();
});

t.test("the newest of several", (t) => {
  t.equal(newest(["9", "", "100", "20"]), "100");
  t.equal(newest([]), "");
  t.end();
});
