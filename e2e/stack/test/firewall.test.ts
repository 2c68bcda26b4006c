import t from "tap";
import { startFirewall } from "../firewall.ts";
import { membershipHistory } from "../history.ts";

t.test("a group is read through its children, and every state it was in is known", async (t) => {
  const firewall = await startFirewall();
  t.teardown(() => firewall.close());
  for (const [name, subnet] of [
    ["one", "10.0.0.1/32"],
    ["net", "10.1.0.0/16"],
  ] as const)
    await firewall.call("POST", "cmdb/firewall/address", { name, subnet });
  t.equal(await firewall.members("web"), undefined, "no such group yet");
  await firewall.call("POST", "cmdb/firewall/addrgrp", { name: "child", member: [{ name: "one" }] });
  await firewall.call("POST", "cmdb/firewall/addrgrp", { name: "web", member: [{ name: "child" }] });
  t.strictSame(await firewall.members("web"), ["10.0.0.1"]);
  await firewall.call("PUT", "cmdb/firewall/addrgrp/child", { member: [{ name: "one" }, { name: "net" }] });
  t.strictSame(await firewall.members("web"), ["10.0.0.1", "10.1.0.0 255.255.0.0"]);
  t.strictSame(
    membershipHistory(firewall, "web").map(({ members }) => Array.from(members)),
    [[], ["10.0.0.1"], ["10.0.0.1", "10.1.0.0/16"]],
  );
});

t.test("IPv6 groups and other VDOMs are read in the same way", async (t) => {
  const firewall = await startFirewall({ vdoms: ["root", "dmz"] });
  t.teardown(() => firewall.close());
  await firewall.call("POST", "cmdb/firewall/address6?vdom=dmz", { name: "six", ip6: "2001:db8::7/128" });
  await firewall.call("POST", "cmdb/firewall/addrgrp6?vdom=dmz", { name: "web", member: [{ name: "six" }] });
  t.strictSame(await firewall.members("web", { vdom: "dmz", family: "ipv6" }), ["2001:db8::7"]);
  t.equal(await firewall.members("web", { family: "ipv6" }), undefined);
  t.strictSame(await firewall.groups({ vdom: "dmz", family: "ipv6" }), ["web"]);
});

t.test("writes of the product are told from those of the reader", async (t) => {
  const firewall = await startFirewall({ plain: true });
  t.teardown(() => firewall.close());
  await firewall.call("POST", "cmdb/firewall/address", { name: "mine", subnet: "10.0.0.1/32" });
  t.strictSame(firewall.writes(), []);
  await fetch(`${firewall.url}/api/v2/cmdb/firewall/address/mine`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${firewall.simulator.token}` },
  });
  t.match(firewall.writes(), [{ method: "DELETE", path: "cmdb/firewall/address/mine", status: 200 }]);
});
