import t from "tap";
import {
  attachChild,
  childOf,
  createAddress,
  createChild,
  createParent,
  deleteAddress,
  deleteChild,
  deleteParent,
  detachChild,
  names,
  PARENT,
  PROFILES,
  putChild,
  repairAddress,
  Rig,
  WEB,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const NAME_A = names.address(A);
const NAME_B = names.address(B);
const V6 = "2001:db8::1";

for (const profile of PROFILES) {
  const holdsNone = profile < "7.2";
  const empty = holdsNone ? ["none"] : [];

  t.test(`${profile}: a group from its first address to its end`, async (t) => {
    const rig = new Rig({ profile });
    t.equal(await rig.do(createAddress(A)), "done changed");
    t.equal(await rig.do(createAddress(B)), "done changed");
    t.equal(await rig.do(createChild([A])), "done changed");
    t.equal(await rig.do(createParent()), "done changed");
    t.strictSame(rig.device.resolve("root", PARENT), [A]);
    t.equal(rig.device.group("root", WEB)?.comment, "podgate lab1 web of cluster a");
    t.equal(await rig.do(putChild([A, B])), "done changed");
    t.strictSame(rig.device.resolve("root", PARENT), [A, B]);
    t.equal(await rig.do(putChild([B])), "done changed");
    t.equal(await rig.do(deleteAddress(A)), "done changed");
    t.equal(rig.device.address("root", NAME_A), undefined);
    t.equal(await rig.do(putChild([])), "done changed");
    t.strictSame(rig.members(WEB), empty);
    t.equal(await rig.do(detachChild()), "done changed");
    t.strictSame(rig.members(PARENT), empty);
    t.equal(await rig.do(deleteChild()), "done changed");
    t.equal(await rig.do(deleteParent()), "done changed");
    t.equal(rig.members(PARENT), undefined);
    t.equal(rig.members(WEB), undefined);
  });

  t.test(`${profile}: the same with IPv6`, async (t) => {
    const rig = new Rig({ profile });
    await rig.all(createAddress(V6), createChild([V6], 6), createParent(6));
    t.strictSame(rig.device.resolve("root", PARENT, "ipv6"), [V6]);
    t.equal(await rig.do(putChild([], 6)), "done changed");
    t.strictSame(rig.members(WEB, "ipv6"), empty);
    await rig.all(detachChild(6), deleteChild(6), deleteParent(6), deleteAddress(V6));
    t.equal(rig.device.address("root", names.address(V6), "ipv6"), undefined);
    t.equal(rig.members(PARENT, "ipv6"), undefined);
  });

  t.test(`${profile}: every step done again changes nothing and is done`, async (t) => {
    const rig = new Rig({ profile });
    const steps = [
      createAddress(A),
      createChild([A]),
      createParent(),
      attachChild(),
      putChild([A]),
      repairAddress(A),
    ];
    await rig.all(...steps);
    const before = JSON.stringify(rig.device.dump());
    for (const step of steps) t.equal(await rig.do(step), "done", step.kind);
    t.equal(JSON.stringify(rig.device.dump()), before);
    await rig.all(detachChild(), deleteChild(), deleteParent(), deleteAddress(A));
    for (const step of [detachChild(), deleteChild(), deleteParent(), deleteAddress(A)]) {
      t.equal(await rig.do(step), "done", step.kind);
    }
  });

  t.test(`${profile}: a child may be born empty`, async (t) => {
    const rig = new Rig({ profile });
    t.equal(await rig.do(createChild([])), "done changed");
    t.strictSame(rig.members(WEB), empty);
    const actual = await rig.read();
    const child = actual.children.get(`4:${WEB}`);
    t.strictSame(child?.members, new Set());
    t.strictSame(child?.strangers, []);
  });

  t.test(`${profile}: a member that is not there is named, and made before the next try`, async (t) => {
    const rig = new Rig({ profile });
    await rig.all(createAddress(A), createChild([A]));
    const outcome = await rig.apply(putChild([A, B]));
    t.match(outcome, { result: "retry", reason: "missing-reference", reread: true });
    t.match(outcome, { message: NAME_B });
    t.strictSame(rig.members(WEB), [NAME_A]);
    await rig.all(createAddress(B), putChild([A, B]));
  });

  t.test(`${profile}: what somebody else uses stays, and he is named`, async (t) => {
    const rig = new Rig({ profile });
    await rig.all(createAddress(A), createChild([A]), createParent());
    rig.admin("POST", "addrgrp", { name: "admins", member: [{ name: NAME_A }, { name: WEB }] });
    await rig.all(detachChild());
    const address = await rig.apply(deleteAddress(A));
    t.match(address, { result: "refused", reason: "in-use", blame: [A] });
    t.match(address, { message: "addrgrp admins" });
    t.match(await rig.apply(deleteChild()), { result: "refused", reason: "in-use", blame: [WEB] });
    t.ok(rig.device.address("root", NAME_A));
  });
}

t.test("one step is one call that changes the device", async (t) => {
  const rig = new Rig();
  const steps = [
    createAddress(A),
    createChild([A]),
    createParent(),
    detachChild(),
    attachChild(),
    putChild([]),
  ];
  for (const step of [...steps, detachChild(), deleteChild(), deleteParent(), deleteAddress(A)]) {
    const before = rig.writes().length;
    await rig.all(step);
    t.equal(rig.writes().length, before + 1, step.kind);
  }
});

t.test("a write that is hurried is not preceded by reads", async (t) => {
  const rig = new Rig();
  await rig.all(
    createAddress(A),
    createChild([A]),
    createParent(),
    putChild([]),
    putChild([A]),
    detachChild(),
  );
  t.strictSame(rig.calls(), rig.writes());
});

t.test("a parent of the admin gets the child and keeps its members", async (t) => {
  const rig = new Rig();
  rig.admin("POST", "address", { name: "printer", subnet: "192.0.2.7/32" });
  rig.admin("POST", "addrgrp", { name: PARENT, member: [{ name: "printer" }], comment: "for policy 4" });
  await rig.all(createAddress(A), createChild([A]));
  t.equal(await rig.do(createParent()), "done changed");
  t.strictSame(rig.members(PARENT), [WEB, "printer"].toSorted());
  t.equal(rig.device.group("root", PARENT)?.comment, "for policy 4");
  t.equal(await rig.do(createParent()), "done");
  await rig.all(detachChild());
  t.strictSame(rig.members(PARENT), ["printer"]);
  t.equal(await rig.do(deleteParent()), `refused collision ${PARENT}`);
  t.strictSame(rig.members(PARENT), ["printer"]);
});

t.test("a parent of ours that somebody put something into stays", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent());
  rig.admin("POST", "address", { name: "printer", subnet: "192.0.2.7/32" });
  rig.admin("POST", `addrgrp/${PARENT}/member`, { name: "printer" });
  await rig.all(detachChild());
  t.equal(await rig.do(deleteParent()), `refused in-use ${PARENT}`);
  t.strictSame(rig.members(PARENT), ["printer"]);
});

t.test("a parent that a policy uses stays", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent(), detachChild());
  rig.admin("POST", "policy", {
    policyid: 3,
    srcintf: [{ name: "any" }],
    dstintf: [{ name: "any" }],
    srcaddr: [{ name: PARENT }],
    dstaddr: [{ name: "all" }],
    service: [{ name: "ALL" }],
    schedule: "always",
  });
  const outcome = await rig.apply(deleteParent());
  t.match(outcome, { result: "refused", reason: "in-use", blame: [PARENT] });
  t.match(outcome, { message: "policy 3" });
});

t.test("an address object that is there already", async (t) => {
  const body = { name: NAME_A, subnet: `${A}/32` };
  const cases = [
    { title: "ours", extra: { comment: "podgate lab1" }, create: "done", del: "done changed" },
    {
      title: "of another install",
      extra: { comment: "podgate lab10" },
      create: "done",
      del: `refused collision ${A}`,
    },
    { title: "same value, no mark", extra: {}, create: "done", del: `refused collision ${A}` },
    {
      title: "other value, no mark",
      extra: { subnet: "10.0.0.0/8" },
      create: `refused collision ${A}`,
      del: `refused collision ${A}`,
    },
    {
      title: "ours, its mask edited",
      extra: { comment: "podgate lab1", subnet: "10.0.0.0/8" },
      create: "retry unclear reread",
      del: "done changed",
    },
  ];
  for (const { title, extra, create, del } of cases) {
    const rig = new Rig();
    rig.admin("POST", "address", { ...body, ...extra });
    const before = rig.device.address("root", NAME_A)?.row;
    t.equal(await rig.do(createAddress(A)), create, `create: ${title}`);
    t.strictSame(rig.device.address("root", NAME_A)?.row, before, `untouched: ${title}`);
    t.equal(await rig.do(deleteAddress(A)), del, `delete: ${title}`);
  }
});

t.test("an edited mask, range or type is repaired; what is not ours is not", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createAddress(V6));
  rig.admin("PUT", `address/${NAME_A}`, { subnet: "10.0.0.0/8" });
  t.equal(await rig.do(repairAddress(A)), "done changed");
  t.strictSame(rig.device.address("root", NAME_A)?.addresses, [A]);
  rig.admin("PUT", `address/${NAME_A}`, { type: "iprange", "start-ip": A, "end-ip": "10.0.0.9" });
  t.equal(await rig.do(repairAddress(A)), "done changed");
  t.strictSame(rig.device.address("root", NAME_A)?.addresses, [A]);
  rig.admin("PUT", `address6/${encodeURIComponent(names.address(V6))}`, { ip6: "2001:db8::/64" });
  t.equal(await rig.do(repairAddress(V6)), "done changed");
  rig.admin("PUT", `address/${NAME_A}`, { subnet: "10.0.0.0/8", comment: "mine now" });
  t.equal(await rig.do(repairAddress(A)), `refused collision ${A}`);
  t.equal(await rig.do(repairAddress(B)), "retry missing-reference reread");
});

t.test("a group of our name without our mark is neither changed nor deleted", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createAddress(B));
  rig.admin("POST", "addrgrp", { name: WEB, member: [{ name: NAME_B }], comment: "mine" });
  t.equal(await rig.do(createChild([A])), `refused collision ${WEB}`);
  t.equal(await rig.do(deleteChild()), `refused collision ${WEB}`);
  t.strictSame(rig.members(WEB), [NAME_B]);
});

t.test("a child that was there already gets the wanted members", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createAddress(B), createChild([A]));
  t.equal(await rig.do(createChild([A, B])), "done changed");
  t.strictSame(rig.members(WEB), [NAME_A, NAME_B]);
});

t.test("names that clash with another kind of object are collisions", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]));
  rig.admin("POST", "address", { name: PARENT, subnet: "192.0.2.7/32" });
  t.equal(await rig.do(createParent()), `refused collision ${PARENT}`);
});

t.test("what a step needs and is gone is asked for again", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A));
  t.equal(await rig.do(putChild([A])), "retry missing-reference reread");
  t.equal(await rig.do(createParent()), "retry missing-reference reread");
  await rig.all(createChild([A]));
  t.equal(await rig.do(attachChild()), "retry missing-reference reread");
  await rig.all(createParent(), detachChild(), deleteChild());
  t.equal(await rig.do(attachChild()), "retry missing-reference reread");
});

t.test("a group that would contain itself is refused, not tried for ever", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent());
  rig.admin("PUT", `addrgrp/${WEB}`, { member: [{ name: NAME_A }] });
  rig.admin("POST", "addrgrp", { name: "loop", member: [{ name: NAME_A }] });
  rig.admin("POST", `addrgrp/${WEB}/member`, { name: "loop" });
  t.equal(await rig.do(attachChild(4, "loop")), "refused invalid loop");
});

t.test("limits of the device: a full table parks the address, a full group the group", async (t) => {
  // A new device has groups with 3 members of its own.
  const rig = new Rig({ limits: { address: 4, "addrgrp.member": 3 } });
  const four = [A, B, "10.0.0.3", "10.0.0.4"];
  await rig.all(...four.map((address) => createAddress(address)));
  t.equal(await rig.do(createAddress("10.0.0.5")), "refused full 10.0.0.5");
  t.equal(await rig.do(createChild(four)), `refused full ${WEB}`);
  await rig.all(createChild([A]));
  t.equal(await rig.do(putChild(four)), `refused full ${WEB}`);
  t.strictSame(rig.members(WEB), [NAME_A]);
});

t.test("a step for a name that is not ours is never sent", async (t) => {
  const rig = new Rig({ switches: { purge: "purge" } });
  const bad = ["", ".", "..", "all", "pg.lab1.10.0.0.1", "pg.other.web.a.0"];
  for (const child of bad) {
    t.match(await rig.apply({ kind: "delete-child", child, family: 4 }), {
      result: "refused",
      reason: "invalid",
    });
    t.match(await rig.apply({ kind: "put-child", child, family: 4, members: [], added: [], removed: [] }), {
      result: "refused",
    });
  }
  for (const parent of ["", ".", "..", WEB, "pg.lab1.x", "a<b", "x".repeat(80)]) {
    t.match(await rig.apply({ kind: "delete-parent", parent, family: 4 }), {
      result: "refused",
      reason: "invalid",
    });
    t.match(await rig.apply({ kind: "detach-child", parent, family: 4, child: WEB }), { result: "refused" });
  }
  for (const name of ["", "all", NAME_B]) {
    t.match(await rig.apply({ kind: "delete-address", name, address: A }), {
      result: "refused",
      reason: "invalid",
    });
  }
  for (const member of ["010.0.0.1", "10.0.0.0/8", V6, "all", ""]) {
    t.match(await rig.apply(putChild([member])), { result: "refused", reason: "invalid" }, member);
  }
  t.strictSame(rig.calls(), []);
});

t.test("names that need encoding reach the object they name", async (t) => {
  const rig = new Rig();
  const parent = "web servers/eu 100+ @dc:1";
  await rig.all(createAddress(A), createChild([A]), createParent(4, parent));
  t.strictSame(rig.members(parent), [WEB]);
  await rig.all(detachChild(4, parent));
  t.strictSame(rig.members(parent), []);
  await rig.all({ kind: "delete-parent", parent, family: 4 });
  t.equal(rig.members(parent), undefined);
});

t.test("5,000 members go in one call", async (t) => {
  const rig = new Rig();
  const many = Array.from({ length: 5000 }, (_, n) => `10.1.${String(n >> 8)}.${String(n & 255)}`);
  for (const address of many) {
    rig.admin("POST", "address", {
      name: names.address(address),
      subnet: `${address}/32`,
      comment: "podgate lab1",
    });
  }
  await rig.all(createChild([]));
  const before = rig.writes().length;
  t.equal(await rig.do(putChild(many)), "done changed");
  t.equal(rig.writes().length, before + 1);
  t.equal(rig.members(WEB)?.length, 5000);
  t.equal((await rig.read()).children.get(`4:${WEB}`)?.members.size, 5000);
});

t.test("children of several clusters share a parent", async (t) => {
  const rig = new Rig();
  const other = childOf("web", "b");
  await rig.all(createAddress(A), createAddress(B), createChild([A]), createParent());
  await rig.all(
    { kind: "create-child", child: other, family: 4, cluster: "b", group: "web", members: [B] },
    { kind: "attach-child", parent: PARENT, family: 4, child: other },
  );
  t.strictSame(rig.device.resolve("root", PARENT), [A, B]);
});
