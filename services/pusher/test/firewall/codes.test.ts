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
  putChild,
  repairAddress,
  Rig,
  names,
  type StepWithoutReason,
} from "./rig.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const C = "10.0.0.3";

/** What an answer with this code comes to when nothing is missing and nothing is there twice. */
const CODES: readonly [number, string][] = [
  ...[-1, -2, -8, -9, -16, -17, -20, -45, -50, -54, -56, -61, -72, -166, -173, -515, -560, -650].map(
    (code): [number, string] => [code, "refused invalid"],
  ),
  [-3, "refused invalid"],
  [-651, "refused invalid"],
  [-4, "refused full"],
  [-580, "refused full"],
  [-6, "retry busy"],
  [-360, "retry busy"],
  [-361, "retry busy"],
  [-7, "refused other"],
  [-160, "refused other"],
  // Of an unknown code the status tells at most that it is no passing trouble.
  [-9999, "refused"],
  [-14, "refused forbidden"],
  [-37, "refused forbidden"],
  [-23, "refused in-use"],
  ...[-163, -164, -165, -311, -312].map((code): [number, string] => [code, "refused collision"]),
];

const STEPS: readonly StepWithoutReason[] = [
  createAddress(B),
  repairAddress(A),
  deleteAddress(A),
  createChild([A]),
  putChild([A, C]),
  putChild([]),
  deleteChild(),
  createParent(),
  attachChild(),
  detachChild(),
  deleteParent(),
];

/** A device on which the step has something to do. */
async function ready({ kind }: StepWithoutReason): Promise<Rig> {
  const rig = new Rig();
  await rig.all(createAddress(A), createAddress(C));
  if (kind === "repair-address") rig.admin("PUT", `address/${names.address(A)}`, { subnet: "10.0.0.0/8" });
  if (!kind.endsWith("-address") && kind !== "create-child") await rig.all(createChild([A]));
  if (["attach-child", "detach-child", "delete-parent"].includes(kind)) await rig.all(createParent());
  if (["attach-child", "delete-parent"].includes(kind)) await rig.all(detachChild());
  return rig;
}

for (const step of STEPS) {
  const title = "members" in step ? `${step.kind} of ${String(step.members.length)}` : step.kind;

  t.test(`${title}: every code of the CLI, and none is tried for ever without a pause`, async (t) => {
    for (const [code, says] of CODES) {
      for (const status of [500, 424, 400]) {
        const rig = await ready(step);
        rig.device.faults.add({ kind: "refuse", code, status, methods: ["POST", "PUT", "DELETE"], times: 0 });
        const before = rig.writes().length;
        t.match(await rig.do(step), says, `${String(status)}, ${String(code)}`);
        t.ok(rig.writes().length - before <= 4, "a few calls at most");
      }
    }
  });

  t.test(`${title}: every status without a code`, async (t) => {
    const statuses: readonly [number, string][] = [
      [400, "refused invalid"],
      [401, "retry unauthorized"],
      [403, "refused forbidden"],
      [405, "refused other"],
      [413, "refused other"],
      [429, "retry busy"],
      [500, "retry busy reread"],
      [502, "retry busy reread"],
      [503, "retry busy reread"],
    ];
    for (const [status, says] of statuses) {
      const rig = await ready(step);
      rig.device.faults.add({ kind: "status-before", status, methods: ["POST", "PUT", "DELETE"], times: 0 });
      t.equal(
        (await rig.do(step)).split(" ").slice(0, says.split(" ").length).join(" "),
        says,
        String(status),
      );
    }
  });

  t.test(`${title}: an answer by nobody known is no success`, async (t) => {
    for (const body of ["", "null", "[]", '{"status":"error"}', "<html>ok</html>"]) {
      const rig = await ready(step);
      rig.device.faults.add({ kind: "status-before", methods: ["POST", "PUT", "DELETE"], times: 0 });
      rig.tamper = (request, response) =>
        request.method === "GET" ? response : { status: 200, headers: {}, body };
      t.not((await rig.apply(step)).result, "done", body);
    }
  });
}
