import t from "tap";
import { createAddress, never, PROFILES, Rig } from "./rig.ts";

for (const profile of PROFILES) {
  t.test(`${profile}: identity and limits`, async (t) => {
    for (const monitorHttpStatus of [true, false]) {
      const rig = new Rig({ profile, model: "entry", switches: { monitorHttpStatus } });
      const { version } = rig.device.profile;
      t.strictSame(await rig.firewall.identity(never), {
        serial: "FGVM010000000001",
        version: version.slice(1),
        vdom: "root",
        needsPlaceholder: profile < "7.2",
        warnings: [],
      });
      t.strictSame(await rig.firewall.limits(never), {
        4: { addresses: 20_000, groups: 2500, membersPerGroup: 600 },
        6: { addresses: 20_000, groups: 8192, membersPerGroup: 0 },
      });
    }
  });
}

t.test("empty groups begin with 7.2.0", async (t) => {
  for (const [profile, needsPlaceholder] of [
    ["7.0.99", true],
    ["7.2.0", false],
  ] as const) {
    t.match(await new Rig({ profile }).firewall.identity(never), { needsPlaceholder }, profile);
  }
});

t.test("warns of a FortiManager that would undo it", async (t) => {
  const centralManagement = { type: "fortimanager", fmg: "192.0.2.3" } as const;
  const { warnings } = await new Rig({ settings: { centralManagement } }).firewall.identity(never);
  t.equal(warnings.length, 1);
  t.match(warnings[0], "FortiManager");
});

t.test("warns of a secondary unit, by either spelling, and of no primary one", async (t) => {
  for (const field of ["primary", "master"]) {
    const rig = new Rig({ settings: { ha: { mode: "a-p", groupName: "pair", priority: 100 } } });
    t.strictSame((await rig.firewall.identity(never)).warnings, []);
    rig.tamper = (request, response) => {
      if (!request.path.endsWith("ha-peer")) return response;
      const results = [{ serial_no: "FGVM010000000001", [field]: false }];
      return { ...response, body: JSON.stringify({ results, status: "success" }) };
    };
    const { warnings } = await rig.firewall.identity(never);
    t.equal(warnings.length, 1, field);
    t.match(warnings[0], "secondary");
  }
});

t.test("warns of firmware that is too old", async (t) => {
  const rig = new Rig({ profile: "6.2" });
  rig.tamper = (_, response) => ({ ...response, body: response.body.replaceAll("v6.2.7", "v6.0.14") });
  const { warnings, needsPlaceholder } = await rig.firewall.identity(never);
  t.match(warnings, [/6\.0\.14 is older/]);
  t.ok(needsPlaceholder);
});

t.test("what answers without a serial is no FortiGate", async (t) => {
  const rig = new Rig();
  rig.tamper = () => ({ status: 200, headers: {}, body: '{"status":"success"}' });
  await t.rejects(rig.firewall.identity(never), { name: "FirewallError", reason: "other" });
});

t.test("a failover is told once for each change of unit", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress("10.0.0.1"));
  t.strictSame(rig.failovers, []);
  rig.device.serial = "FGVM010000000002";
  await rig.all(createAddress("10.0.0.2"), createAddress("10.0.0.3"));
  t.strictSame(rig.failovers, ["FGVM010000000001 to FGVM010000000002"]);
  t.match(await rig.firewall.identity(never), { serial: "FGVM010000000002" });
  rig.device.serial = "FGVM010000000001";
  await rig.read();
  t.equal(rig.failovers.length, 2);
});

t.test("a schema that states no limits gives none", async (t) => {
  const rig = new Rig();
  rig.tamper = (_, response) => ({ ...response, body: '{"status":"success","results":{"children":{}}}' });
  t.strictSame(await rig.firewall.limits(never), {
    4: { addresses: 0, groups: 0, membersPerGroup: 0 },
    6: { addresses: 0, groups: 0, membersPerGroup: 0 },
  });
});
