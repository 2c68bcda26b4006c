import type { Fault } from "@podgate/fortios-simulator/fault";
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
  putChild,
  repairAddress,
  Rig,
  short,
  TIMEOUT_MS,
  WEB,
  type StepWithoutReason,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

interface Case {
  readonly step: StepWithoutReason;
  readonly before: readonly StepWithoutReason[];
  readonly prepare?: (rig: Rig) => void;
  readonly holds: (rig: Rig) => boolean;
}

const has = (rig: Rig, group: string, member: string): boolean =>
  rig.members(group)?.includes(member) === true;

const CASES: readonly Case[] = [
  {
    step: createAddress(A),
    before: [],
    holds: (rig) => rig.device.address("root", names.address(A)) !== undefined,
  },
  {
    step: repairAddress(A),
    before: [createAddress(A)],
    prepare: (rig) => rig.admin("PUT", `address/${names.address(A)}`, { subnet: "10.0.0.0/8" }),
    holds: (rig) => rig.device.address("root", names.address(A))?.addresses.join() === A,
  },
  {
    step: deleteAddress(A),
    before: [createAddress(A)],
    holds: (rig) => rig.device.address("root", names.address(A)) === undefined,
  },
  {
    step: createChild([A]),
    before: [createAddress(A)],
    holds: (rig) => rig.members(WEB)?.join() === names.address(A),
  },
  {
    step: putChild([B]),
    before: [createAddress(A), createAddress(B), createChild([A])],
    holds: (rig) => rig.members(WEB)?.join() === names.address(B),
  },
  {
    step: putChild([]),
    before: [createAddress(A), createChild([A])],
    holds: (rig) => rig.members(WEB)?.join() === "",
  },
  { step: deleteChild(), before: [createChild([])], holds: (rig) => rig.members(WEB) === undefined },
  {
    step: createParent(),
    before: [createChild([])],
    holds: (rig) => has(rig, PARENT, WEB),
  },
  {
    step: attachChild(),
    before: [createChild([]), createParent(), detachChild()],
    holds: (rig) => has(rig, PARENT, WEB),
  },
  {
    step: detachChild(),
    before: [createChild([]), createParent()],
    holds: (rig) => !has(rig, PARENT, WEB),
  },
  {
    step: deleteParent(),
    before: [createChild([]), createParent(), detachChild()],
    holds: (rig) => rig.members(PARENT) === undefined,
  },
];

const WRITES = ["POST", "PUT", "DELETE"];

/** What strikes the changing call, and what the step says when reading back works. */
const FAULTS: readonly { readonly fault: Fault; readonly says: string }[] = [
  { fault: { kind: "reply-lost" }, says: "done changed" },
  { fault: { kind: "reset-after" }, says: "done changed" },
  { fault: { kind: "reset-before" }, says: "retry unreachable reread" },
  { fault: { kind: "status-after", status: 502 }, says: "done changed" },
  { fault: { kind: "status-after", status: 503 }, says: "done changed" },
  { fault: { kind: "status-before", status: 503 }, says: "retry busy reread" },
  { fault: { kind: "status-before", status: 502 }, says: "retry busy reread" },
  { fault: { kind: "status-before", status: 429 }, says: "retry busy" },
  { fault: { kind: "slow", ms: TIMEOUT_MS + 1 }, says: "done changed" },
  { fault: { kind: "refuse", code: -361 }, says: "retry busy" },
  { fault: { kind: "refuse", code: -6 }, says: "retry busy" },
  { fault: { kind: "refuse", code: -37 }, says: "refused forbidden" },
];

for (const { step, before, prepare, holds } of CASES) {
  const title = "members" in step ? `${step.kind} of ${String(step.members.length)}` : step.kind;

  async function ready(): Promise<Rig> {
    const rig = new Rig();
    await rig.all(...before);
    prepare?.(rig);
    return rig;
  }

  for (const { fault, says } of FAULTS) {
    t.test(`${title}: ${fault.kind} ${String(fault.status ?? fault.code ?? "")}`, async (t) => {
      const rig = await ready();
      rig.device.faults.add({ ...fault, methods: WRITES });
      const outcome = short(await rig.apply(step));
      t.match(outcome, says);
      t.equal(outcome.startsWith("done"), holds(rig), "done is what the device holds, and nothing else");
      t.equal((await rig.apply(step)).result, "done", "the next try ends it");
      t.ok(holds(rig));
    });
  }

  t.test(`${title}: an answer cut in the middle is read back`, async (t) => {
    const rig = await ready();
    rig.tamper = (request, response) =>
      request.method === "GET" ? response : { ...response, body: response.body.slice(0, 80) };
    t.equal(await rig.do(step), "done changed");
    t.ok(holds(rig));
  });

  t.test(`${title}: lost, and nothing can be read either`, async (t) => {
    const rig = await ready();
    rig.device.faults.add({ kind: "reply-lost", methods: WRITES });
    rig.device.faults.add({
      kind: "status-before",
      status: 503,
      times: 0,
      after: step.kind.startsWith("delete") || step.kind === "repair-address" ? 1 : 0,
      methods: ["GET"],
    });
    t.equal(await rig.do(step), "retry timeout reread");
    rig.device.faults.clear();
    t.equal((await rig.apply(step)).result, "done");
    t.ok(holds(rig));
  });

  t.test(`${title}: the loop's signal ends it without a throw`, async (t) => {
    const rig = await ready();
    const stop = new AbortController();
    stop.abort(new Error("lease lost"));
    t.match(await rig.apply(step, stop.signal), { result: "retry", reason: "unclear" });
    t.notOk(holds(rig));
  });
}

t.test("stopped while the answer is awaited: unclear, and nothing more is sent", async (t) => {
  const rig = new Rig();
  const stop = new AbortController();
  rig.device.subscribe(() => stop.abort(new Error("lease lost")));
  rig.device.faults.add({ kind: "reply-lost", methods: WRITES });
  t.match(await rig.apply(createAddress(A), stop.signal), { result: "retry", reread: true });
  t.equal(rig.calls().length, 1);
});

t.test("lost, and another object has the name: not done", async (t) => {
  for (const comment of ["podgate lab1", "mine"]) {
    const rig = new Rig();
    rig.admin("POST", "address", { name: names.address(A), subnet: "10.0.0.0/8", comment });
    rig.device.faults.add({ kind: "reset-before", methods: WRITES });
    t.equal(await rig.do(createAddress(A)), "retry unreachable reread", comment);
  }
  const rig = new Rig();
  await rig.all(createAddress(A));
  rig.admin("POST", "addrgrp", { name: WEB, member: [{ name: names.address(A) }], comment: "mine" });
  rig.device.faults.add({ kind: "reset-before", methods: WRITES });
  t.equal(await rig.do(createChild([A])), "retry unreachable reread");
});

t.test("gone between the look at it and the call", async (t) => {
  const ends: readonly [StepWithoutReason, string, string][] = [
    [deleteAddress(A), `address/${names.address(A)}`, "done"],
    [deleteChild(), `addrgrp/${WEB}`, "done"],
    [deleteParent(), `addrgrp/${PARENT}`, "done"],
    [repairAddress(A), `address/${names.address(A)}`, "retry missing-reference reread"],
  ];
  for (const code of [undefined, -3]) {
    for (const [step, path, says] of ends) {
      const rig = new Rig();
      await rig.all(createAddress(A), createChild([]), createParent(), detachChild());
      rig.admin("PUT", `address/${names.address(A)}`, { subnet: "10.0.0.0/8" });
      rig.tamper = (request, response) => {
        if (request.method === "GET") rig.admin("DELETE", path);
        if (response.status !== 404 || request.method === "GET" || code === undefined) return response;
        return { ...response, status: 500, body: JSON.stringify({ status: "error", error: code }) };
      };
      t.equal(await rig.do(step), says, `${step.kind} ${String(code)}`);
    }
  }
});

t.test("an object that can't be read right after it was made is looked at twice", async (t) => {
  const rig = new Rig();
  rig.device.faults.add({ kind: "reply-lost", methods: ["POST"] });
  rig.device.faults.add({ kind: "not-found", ms: 400, times: 0, path: "firewall/address/" });
  rig.clock.time += 1;
  t.equal(await rig.do(createAddress(A)), "done changed");
  t.equal(rig.clock.slept.length, 1);
});

t.test("already there, but unreadable: not taken for missing", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]), createParent());
  rig.device.faults.add({ kind: "not-found", ms: 60_000, times: 0 });
  t.equal(await rig.do(createAddress(A)), "retry busy reread");
  t.equal(await rig.do(createChild([A])), "retry busy reread");
  t.equal(await rig.do(createParent()), "retry busy reread");
});

t.test("a reply that counts an object and does not hold it is not taken for missing", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A));
  rig.tamper = (_, response) => ({
    ...response,
    body: response.body.replace(/"results":\[.*?\}\]/, '"results":[]'),
  });
  t.equal(await rig.do(deleteAddress(A)), "retry busy reread");
  t.ok(rig.device.address("root", names.address(A)));
});

t.test("a 404 page from something in between deletes nothing from the mind", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createChild([A]));
  rig.tamper = () => ({ status: 404, headers: {}, body: "<html>nginx</html>" });
  t.match(await rig.do(deleteAddress(A)), "refused other");
  t.match(await rig.do(deleteChild()), "refused other");
});

t.test("a redirect to a login page is not success", async (t) => {
  const rig = new Rig();
  rig.tamper = () => ({ status: 302, headers: { location: "/login" }, body: "" });
  t.match(await rig.do(createAddress(A)), "refused other");
  await t.rejects(rig.read(), { name: "FirewallError" });
});

t.test("old builds say 424 and no code: reading tells what was meant", async (t) => {
  const rig = new Rig({
    profile: "6.2",
    switches: { failedDependency: true, childDuplicate: -5, childMissing: -3 },
  });
  rig.tamper = (_, response) => {
    if (response.status !== 424) return response;
    const { error: _code, cli_error: _cli, ...rest } = JSON.parse(response.body) as Record<string, unknown>;
    return { ...response, body: JSON.stringify(rest) };
  };
  await rig.all(createAddress(A), createChild([A]), createParent());
  for (const step of [createAddress(A), createChild([A]), createParent(), attachChild()]) {
    t.equal(await rig.do(step), "done", step.kind);
  }
  t.match(await rig.apply(putChild([A, B])), {
    result: "retry",
    reason: "missing-reference",
    message: names.address(B),
  });
  await rig.all(putChild([]), detachChild(), detachChild(), deleteChild(), deleteParent());
  rig.admin("POST", "address", { name: names.address(B), subnet: "10.9.9.9/32" });
  t.equal(await rig.do(createAddress(B)), `refused collision ${B}`);
});

t.test("a member that is there and refused by name is parked, not its group", async (t) => {
  const rig = new Rig();
  await rig.all(createAddress(A), createAddress(B), createChild([A]));
  rig.tamper = (request, response) =>
    request.method !== "PUT"
      ? response
      : {
          ...response,
          status: 500,
          body: JSON.stringify({
            error: -651,
            cli_error: `value parse error before '${names.address(B)}'\nCommand fail. Return code -651\n`,
            status: "error",
            http_status: 500,
          }),
        };
  t.equal(await rig.do(putChild([A, B])), `refused invalid ${B}`);
});

t.test("nothing is believed of a list that is not whole", async (t) => {
  for (const path of ["firewall/addrgrp", "firewall/address"]) {
    const rig = new Rig();
    await rig.all(createAddress(A), createChild([A]));
    rig.device.faults.add({ kind: "empty-results", path, times: 0 });
    await t.rejects(rig.read(), { name: "FirewallError", reason: "busy" }, path);
  }
  const old = new Rig({ profile: "6.2" });
  await old.all(createAddress(A), createChild([A]));
  old.device.faults.add({ kind: "empty-results", path: "firewall/address", times: 0 });
  await t.rejects(old.read(), { name: "FirewallError", reason: "busy" }, "without counts");
});

t.test("reads say by class why they failed", async (t) => {
  const cases: readonly [Fault, string][] = [
    [{ kind: "reply-lost" }, "timeout"],
    [{ kind: "reset-before" }, "unreachable"],
    [{ kind: "status-before", status: 503 }, "busy"],
    [{ kind: "status-before", status: 429 }, "busy"],
    [{ kind: "slow", ms: TIMEOUT_MS + 1 }, "timeout"],
    [{ kind: "refuse", code: -14 }, "forbidden"],
  ];
  for (const [fault, reason] of cases) {
    const rig = new Rig();
    rig.device.faults.add({ ...fault, times: 0 });
    await t.rejects(rig.read(), { name: "FirewallError", reason }, fault.kind);
    await t.rejects(rig.firewall.identity(never), { name: "FirewallError", reason }, fault.kind);
    await t.rejects(rig.firewall.limits(never), { name: "FirewallError", reason }, fault.kind);
  }
  for (const status of [503, 401]) {
    const rig = new Rig();
    rig.device.faults.add({ kind: "status-before", status, path: "ha-peer" });
    const reason = status === 401 ? "unauthorized" : "busy";
    await t.rejects(
      rig.firewall.identity(never),
      { name: "FirewallError", reason },
      "not taken for a missing right",
    );
  }
  const rig = new Rig();
  rig.tamper = (_, response) => ({ ...response, body: response.body.slice(0, -20) });
  await t.rejects(rig.read(), { name: "FirewallError", reason: "busy" }, "truncated");
});

t.test("attributes that nobody knows are ignored", async (t) => {
  const rig = new Rig();
  rig.device.faults.add({ kind: "extra-fields", times: 0 });
  await rig.all(createAddress(A), createAddress(A), createChild([A]), createChild([A]), createParent());
  t.strictSame((await rig.read()).children.get(`4:${WEB}`)?.members, new Set([A]));
});
