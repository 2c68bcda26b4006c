import type { Switches } from "@podgate/fortios-simulator/switches";
import t from "tap";
import {
  attachChild,
  createAddress,
  createChild,
  createParent,
  deleteAddress,
  deleteChild,
  deleteParent,
  detachChild,
  names,
  never,
  PARENT,
  PROFILES,
  putChild,
  Rig,
  WEB,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

/** Facts about real devices that are not sure: the adapter has to do under every position. */
const POSITIONS: readonly Partial<Switches>[] = [
  {},
  { childDuplicate: -5 },
  { childDuplicate: -15 },
  { childDuplicate: -5, failedDependency: true },
  { childMissing: "success" },
  { childMissing: -3 },
  { childMissing: -3, failedDependency: true },
  { lastMember: "allowed" },
  { identicalPut: "changed" },
  { missingReference: -651 },
  { missingReference: -651, failedDependency: true },
  { failedDependency: true },
  { placeholder: "refused" },
  { placeholder: "refused", failedDependency: true },
  { placeholder: "refused", lastMember: "allowed" },
  { emptyGroup: "refused" },
  { emptyGroup: "refused", placeholder: "refused" },
  { tableFullCode: -580 },
  { tableFullCode: -580, tableFullStatus: 400 },
  { monitorHttpStatus: false },
  { monitorHttpStatus: true },
  { filterCase: "insensitive" },
  { revisionScope: "global" },
];

for (const profile of PROFILES) {
  for (const position of POSITIONS) {
    const title = JSON.stringify(position);

    t.test(`${profile} ${title}: a group lives and ends`, async (t) => {
      const rig = new Rig({ profile, switches: position });
      await rig.all(createAddress(A), createAddress(B), createChild([A]), createParent(), putChild([A, B]));
      t.strictSame(rig.device.resolve("root", PARENT), [A, B]);
      await rig.all(attachChild(), putChild([]));
      t.strictSame(
        rig.device.resolve("root", PARENT).filter((address) => address !== "0.0.0.0"),
        [],
      );
      const actual = await rig.read();
      t.strictSame([...(actual.children.get(`4:${WEB}`)?.members ?? ["?"])], []);
      t.strictSame(actual.children.get(`4:${WEB}`)?.strangers, []);
      await rig.all(
        putChild([B]),
        createChild([B]),
        putChild([]),
        putChild([]),
        detachChild(),
        detachChild(),
      );
      t.strictSame([...((await rig.read(PARENT)).parents.get(`4:${PARENT}`)?.members ?? ["?"])], []);
      await rig.all(deleteChild(), deleteParent(), deleteAddress(A), deleteAddress(B));
      t.equal(rig.members(WEB), undefined);
      t.equal(rig.members(PARENT), undefined);
    });
  }

  for (const position of [{}, { failedDependency: true }] as const) {
    t.test(
      `${profile} ${JSON.stringify(position)}: what is missing is told from what is refused`,
      async (t) => {
        for (const missingReference of [-3, -651] as const) {
          const rig = new Rig({ profile, switches: { ...position, missingReference } });
          await rig.all(createAddress(A), createChild([A]));
          t.match(await rig.apply(putChild([A, B])), {
            result: "retry",
            reason: "missing-reference",
            reread: true,
            message: names.address(B),
          });
          // What is in a folder may be in no other group; there are folders from 6.4 on.
          if (profile === "6.2") continue;
          await rig.all(createAddress(B));
          const folder = { name: "folder", type: "folder", member: [{ name: names.address(B) }] };
          await rig.all(createAddress(A), putChild([]));
          t.equal(rig.admin("POST", "addrgrp", folder), "200");
          t.equal(await rig.do(putChild([A, B])), `refused invalid ${WEB}`);
        }
      },
    );
  }
}

t.test("a full table is full, whatever its code and status", async (t) => {
  for (const switches of [
    { tableFullCode: -4, tableFullStatus: 500 },
    { tableFullCode: -580, tableFullStatus: 500 },
    { tableFullCode: -4, tableFullStatus: 400 },
  ] as const) {
    const rig = new Rig({ limits: { address: 1 }, switches });
    await rig.all(createAddress(A));
    t.equal(await rig.do(createAddress(B)), `refused full ${B}`, JSON.stringify(switches));
  }
});

t.test("a wrong token, and the lockout it leads to, stop and do not loop", async (t) => {
  for (const [lockedStatus, locked] of [
    [429, "retry busy"],
    [401, "retry unauthorized"],
  ] as const) {
    const rig = new Rig({ switches: { lockedStatus } });
    const good = rig.token;
    rig.token = "wrong";
    const before = rig.calls().length;
    t.equal(await rig.do(createAddress(A)), "retry unauthorized");
    t.equal(rig.calls().length, before + 1, "one try only");
    await rig.do(createAddress(A));
    await rig.do(createAddress(A));
    rig.token = good;
    t.equal(await rig.do(createAddress(A)), locked, "a good token fails, too");
    await t.rejects(rig.firewall.identity(never), {
      name: "FirewallError",
      reason: locked.slice("retry ".length),
    });
    rig.clock.time += 61_000;
    t.equal(await rig.do(createAddress(A)), "done changed");
  }
});

t.test("a body that is too large is refused, and said to be", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]));
  rig.device.switches = { ...rig.device.switches, maxBody: 20 };
  const outcome = await rig.apply(putChild([A]));
  t.match(outcome, { result: "refused", reason: "other", blame: [WEB] });
  t.match(outcome, { message: "413" });
});

t.test("missing rights are refused with what is needed", async (t) => {
  const rig = new Rig();
  rig.device.setRights("api", { fwgrp: "read", sysgrp: "none" });
  for (const step of [
    createAddress(A),
    createChild([]),
    putChild([]),
    createParent(),
    attachChild(),
    detachChild(),
  ]) {
    const outcome = await rig.apply(step);
    t.match(outcome, { result: "refused", reason: "forbidden" }, step.kind);
    t.match(outcome, { message: "read-write on firewall addresses" });
  }
  rig.device.setRights("api", { fwgrp: "none", sysgrp: "none" });
  await t.rejects(rig.read(), { name: "FirewallError", reason: "forbidden" });
  await t.rejects(rig.firewall.limits(never), { name: "FirewallError", reason: "forbidden" });
});

t.test("the smallest profile is enough for everything", async (t) => {
  const rig = new Rig();
  rig.device.setRights("api", {
    fwgrp: "custom",
    "fwgrp-permission": { address: "read-write" },
    sysgrp: "none",
  });
  await rig.all(createAddress(A), createChild([A]), createParent(), putChild([]), detachChild());
  await rig.all(deleteChild(), deleteParent(), deleteAddress(A));
  t.match(await rig.firewall.identity(never), { vdom: "root", warnings: [] });
  t.equal((await rig.firewall.limits(never))[4].membersPerGroup, 5000);
});

t.test("a VDOM out of scope is forbidden by name; one that is gone, too", async (t) => {
  const rig = new Rig({ vdoms: ["root", "dmz"] }, "dmz");
  await rig.all(createAddress(A));
  t.ok(rig.device.address("dmz", names.address(A)));
  t.equal(rig.device.address("root", names.address(A)), undefined);
  const gone = new Rig({ vdoms: ["root"] }, "dmz");
  const outcome = await gone.apply(createAddress(A));
  t.match(outcome, { result: "refused", reason: "forbidden" });
  t.match(outcome, { message: "VDOM dmz" });
  await t.rejects(gone.read(), { name: "FirewallError", reason: "forbidden", message: /VDOM dmz/ });
});
