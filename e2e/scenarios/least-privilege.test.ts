import t from "tap";
import { PRODUCT_USER } from "../stack/firewall.ts";
import { KubernetesError } from "../stack/kubernetes-client.ts";
import { skip, stage } from "./scene.ts";

const on = stage(t);

/** Not in the roles of the chart. */
const FORBIDDEN = [
  ["Secret", "v1"],
  ["ConfigMap", "v1"],
  ["Service", "v1"],
] as const;

t.test(
  "the product works with the address permission and the chart's roles, and asks for nothing beyond",
  { skip },
  on(async (t, scene) => {
    const { simulator } = scene.stack.firewall();
    const { plane, access, watcher } = scene.cluster();
    await scene.namespace("least");
    await scene.group("least", { pods: { app: "least" } });
    await scene.deployment("least", "least", { replicas: 3 });
    await scene.untilEqual("least", { count: 3 });
    await scene.scale("least", "least", 1);
    await scene.untilEqual("least", { count: 1 });
    await scene.stack.pusher.restart();
    await watcher.restart();
    await scene.scale("least", "least", 2);
    await scene.untilEqual("least", { count: 2 });

    const user = simulator.device.users.find(({ name }) => name === PRODUCT_USER);
    t.match(user?.profile, {
      fwgrp: "custom",
      "fwgrp-permission": { address: "read-write" },
      sysgrp: "none",
    });
    const writes = simulator.log({ writes: true }).filter(({ token }) => token === PRODUCT_USER);
    t.ok(writes.length > 0, "what was written was written with it");
    t.ok(
      writes.every(({ path }) => /^cmdb\/firewall\/(address|addrgrp)6?(\/|$)/.test(path)),
      "addresses and their groups alone",
    );
    const client = access.client();
    t.teardown(() => client.close());
    const refusal = { name: KubernetesError.name, status: 403 };
    for (const [kind, apiVersion] of FORBIDDEN) await t.rejects(client.list({ apiVersion, kind }), refusal);
    const refused = scene.overreached();
    t.equal(refused.length, FORBIDDEN.length, "what this test asked with its account is seen as too much");
    for (const resource of ["secrets", "configmaps", "services"]) scene.takesAway(resource);
    t.strictSame(scene.overreached(), []);
    t.ok(plane.audited().includes("podgate-watcher"), "its calls are on record");
  }),
);

t.test(
  "a right that is missing is seen: the run of the scenarios would fail",
  { skip },
  on(async (t, scene) => {
    const firewall = scene.stack.firewall();
    const token = firewall.simulator.device.users.find(({ name }) => name === PRODUCT_USER)?.token ?? "";
    const before = firewall.overreached.length;
    await t.rejects(firewall.call("GET", "cmdb/firewall/policy", undefined, token), /403/);
    t.strictSame(firewall.overreached.slice(before), ["GET cmdb/firewall/policy"]);
    scene.takesAway("cmdb/firewall/policy");
  }),
);
