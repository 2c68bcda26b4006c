import fc from "fast-check";
import t from "tap";
import { fortiGateNames, isParentName, type ChildKey } from "../../src/firewall/fortigate/naming.ts";

const names = fortiGateNames("lab1");
const SAFE = /^[A-Za-z0-9._:-]{1,79}$/;

function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { numRuns: 2000 });
}

const label = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,20}[a-z0-9])?$/);
const longLabel = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/);
const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,2})$/);
const group = fc.oneof(
  label,
  fc.stringMatching(/^[A-Za-z0-9._:+=@-]{1,79}$/),
  fc.tuple(longLabel, longLabel).map(([namespace, name]) => `${namespace}/${name}`),
  // Near to what addresses and other children look like.
  fc.array(digits, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
  fc.tuple(label, label, digits).map((parts) => parts.join(".")),
  fc.tuple(label, fc.stringMatching(/^x[0-9a-f]{12}$/)).map((parts) => parts.join(".")),
);
const key: fc.Arbitrary<ChildKey> = fc.record({
  group,
  cluster: fc.oneof(label, longLabel, digits),
  n: fc.nat({ max: 200 }),
});
const address = fc.oneof(
  fc.ipV4().filter((text) => text !== "0.0.0.0"),
  fc.constantFrom("2001:db8::1", "fe80::1", "::1", "fd00:1:2:3:4:5:6:7"),
);

t.test("names are of the safe alphabet and at most 79 long", async (t) => {
  check(fc.property(key, (each) => SAFE.test(names.child(each)) && names.isChild(names.child(each))));
  check(fc.property(address, (each) => SAFE.test(names.address(each))));
  t.pass();
});

t.test("an address comes back from its name, a child's name is no address", async (t) => {
  check(fc.property(address, (each) => names.addressOf(names.address(each)) === each));
  check(fc.property(address, (each) => !names.isChild(names.address(each))));
  check(fc.property(key, (each) => names.addressOf(names.child(each)) === undefined));
  t.pass();
});

t.test("no two children share a name", async (t) => {
  check(
    fc.property(key, key, (one, other) => {
      const isSame = one.group === other.group && one.cluster === other.cluster && one.n === other.n;
      return isSame === (names.child(one) === names.child(other));
    }),
  );
  // So few parts that their joints fall together often.
  const part = fc.constantFrom("a", "b", "0", "1", "-", "x0123456789ab");
  const close: fc.Arbitrary<ChildKey> = fc.record({
    group: fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom(".", "/", "-"))
      .map(([parts, joint]) => parts.join(joint)),
    cluster: fc.constantFrom("a", "b", "0", "1", "a-b"),
    n: fc.nat({ max: 1 }),
  });
  const told = new Map<string, string>();
  check(
    fc.property(close, (each) => {
      const text = JSON.stringify([each.group, each.cluster, each.n]);
      const before = told.get(names.child(each)) ?? text;
      told.set(names.child(each), text);
      return before === text;
    }),
  );
  t.ok(told.size > 100, "many were compared");
  const near: readonly ChildKey[] = [
    { group: "a", cluster: "b", n: 0 },
    { group: "a.b", cluster: "b", n: 0 },
    { group: "a/b", cluster: "b", n: 0 },
    { group: "a-b", cluster: "b", n: 0 },
    { group: "a", cluster: "b", n: 1 },
    { group: "10.0", cluster: "1", n: 2 },
    { group: "10", cluster: "0", n: 1 },
    { group: `${"g".repeat(76)}aaa`, cluster: "b", n: 0 },
    { group: `${"g".repeat(76)}aab`, cluster: "b", n: 0 },
    { group: `${"g".repeat(76)}aab`, cluster: "b", n: 1 },
  ];
  t.equal(new Set(near.map((each) => names.child(each))).size, near.length);
  t.pass();
});

t.test("the origin of a child is told by name and comment", async (t) => {
  check(
    fc.property(key, (each) => {
      const comment = names.childComment(each);
      const origin = names.origin(names.child(each), comment);
      return comment.length <= 255 && origin?.group === each.group && origin.cluster === each.cluster;
    }),
  );
  t.pass();
});

t.test("a comment that was edited never tells another origin", async (t) => {
  check(
    fc.property(key, key, (one, other) => {
      const origin = names.origin(names.child(one), names.childComment(other));
      return origin === undefined || (origin.group === one.group && origin.cluster === one.cluster);
    }),
  );
  const long = { group: `ns/${"x".repeat(250)}`, cluster: "prod-eu" };
  const name = names.child({ ...long, n: 0 });
  t.equal(names.childComment(long).length, 255);
  t.equal(names.origin(name, names.childComment(long)), undefined, "cut: nothing rather than something else");
});

t.test("what installs write is told apart", async (t) => {
  const other = fortiGateNames("lab12");
  t.notOk(names.isMarked(other.comment()));
  t.notOk(other.isMarked(names.comment()));
  t.notOk(names.isChild(other.child({ group: "web", cluster: "a", n: 0 })));
  t.equal(names.addressOf(other.address("10.0.0.1")), undefined);
});

t.test("what the mark is, and is not", async (t) => {
  for (const comment of ["podgate lab1", "podgate lab1 web of cluster a", "podgate lab1, edited"]) {
    t.ok(names.isMarked(comment), comment);
  }
  for (const comment of ["", "podgate", "podgate lab10", "podgate lab1x", "Podgate lab1", " podgate lab1"]) {
    t.notOk(names.isMarked(comment), comment);
  }
});

t.test("what is no address of ours", async (t) => {
  const wrong = ["10.0.0.1", "pg.lab1.", "pg.lab1.010.0.0.1", "pg.lab1.10.0.0", "pg.lab1.::ffff:10.0.0.1"];
  for (const name of [...wrong, "pg.lab1.2001:DB8::1", "PG.lab1.10.0.0.1", "pg.lab1.10.0.0.1/32", ""]) {
    t.equal(names.addressOf(name), undefined, name);
  }
});

t.test("names that can't be a group of a user", async (t) => {
  for (const name of [
    "",
    ".",
    "..",
    " web",
    "web ",
    "a<b",
    "a'b",
    'a"b',
    "a#b",
    "a(b",
    "x".repeat(80),
    "ä",
  ]) {
    t.notOk(isParentName(name), name);
  }
  for (const name of ["web", "shop/web", "Web servers 1", "a".repeat(79), "...", "k8s:web@eu+1=x"]) {
    t.ok(isParentName(name), name);
  }
});

t.test("comments hold only what FortiOS takes", async (t) => {
  check(fc.property(fc.string({ unit: "binary" }), (text) => /^[ -~]{1,255}$/.test(names.comment(text))));
  t.equal(names.comment(`a "b" <c>`), "podgate lab1 a -b- -c-");
});

t.test("an install id that would blur names is refused", async (t) => {
  for (const install of ["", "a.b", "A", "a-b", "x".repeat(17), "ä"]) {
    t.throws(() => fortiGateNames(install), { name: "RangeError" }, install);
  }
});
