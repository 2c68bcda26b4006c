"""Cases of the fortigate-api client. Arguments: port, token, allowed|refused (empty groups)."""

import json
import sys

from fortigate_api import FortiGateAPI

PORT, TOKEN, EMPTY = int(sys.argv[1]), sys.argv[2], sys.argv[3]
FAMILIES = {
    "v4": ("address", "addrgrp", "subnet", "10.1.2.3/32", "10.1.2.3 255.255.255.255", "10.9.0.0 255.255.0.0"),
    "v6": ("address6", "addrgrp6", "ip6", "2001:db8::7/128", "2001:db8::7/128", "2001:db8:9::/48"),
}


def case(name, ok, detail=""):
    print(json.dumps({"case": name, "ok": bool(ok), "detail": str(detail)}), flush=True)


def status(name, response, code, error=None):
    got = response.status_code
    found = response.json().get("error") if error is not None else None
    case(name, got == code and found == error, f"{got} {response.text[:300]}")


def rows(*names):
    return [{"name": name} for name in names]


def members(api, name):
    found = api.get(name=name)
    return sorted(item["name"] for item in found[0]["member"]) if found else None


def family(api, label, kinds):
    address_name, group_name, field, value, read_back, other = kinds
    address = getattr(api.cmdb.firewall, address_name)
    group = getattr(api.cmdb.firewall, group_name)
    gate = api.fortigate
    path = f"api/v2/cmdb/firewall/{group_name}"

    status(f"{label} address create", address.create({"name": "a1", field: value, "comment": "one"}), 200)
    status(f"{label} address create again", address.create({"name": "a1", field: value}), 500, -5)
    found = address.get(name="a1")
    case(f"{label} address read", len(found) == 1 and found[0][field] == read_back, found)
    case(f"{label} address exists", address.is_exist("a1") and not address.is_exist("nobody"))
    status(f"{label} address change", address.update({"name": "a1", field: other}), 200)
    found = address.get(name="a1")[0]
    case(f"{label} address change kept the rest", found[field] == other and found["comment"] == "one", found)
    again = address.update({"name": "a1", field: other})
    case(f"{label} address change again: idempotent", again.json()["revision_changed"] is False, again.text)
    status(f"{label} address change of nobody", address.update({"name": "nobody", field: other}), 404)
    status(f"{label} address second", address.create({"name": "a2", field: value}), 200)
    status(f"{label} address odd name", address.create({"name": "a 3/x", field: value}), 200)
    case(f"{label} address odd name read", address.get(name="a 3/x")[0]["name"] == "a 3/x")
    case(f"{label} address filter ==", [i["name"] for i in address.get(filter="name==a1")] == ["a1"])
    case(f"{label} address filter =@", len(address.get(filter="name=@a")) >= 3)
    case(f"{label} address two filters", [i["name"] for i in address.get(filter=["name=@a", "comment==one"])] == ["a1"])
    case(f"{label} predefined all and none", {"all", "none"} <= {i["name"] for i in address.get()})

    status(f"{label} group create", group.create({"name": "g1", "member": rows("a1", "a2")}), 200)
    status(f"{label} group create again", group.create({"name": "g1", "member": rows("a1")}), 500, -5)
    case(f"{label} group read", members(group, "g1") == ["a1", "a2"])
    status(f"{label} group of unknown", group.create({"name": "g2", "member": rows("nobody")}), 500, -3)
    empty = group.create({"name": "g-empty", "member": []})
    case(f"{label} group empty", empty.ok == (EMPTY == "allowed"), empty.text)
    status(f"{label} group append by list", group.update({"name": "g1", "member": rows("a1", "a2", "a 3/x")}), 200)
    status(f"{label} group append by child", gate.post(f"{path}/g1/member", {"name": "none"}), 200)
    case(f"{label} group has all members", members(group, "g1") == ["a 3/x", "a1", "a2", "none"])
    status(f"{label} group remove by child", gate.delete(f"{path}/g1/member/a%203%2Fx"), 200)
    status(f"{label} group remove by list", group.update({"name": "g1", "member": rows("a1")}), 200)
    case(f"{label} group has one member", members(group, "g1") == ["a1"])
    status(f"{label} child of nobody", gate.post(f"{path}/nobody/member", {"name": "a1"}), 404)
    status(f"{label} child PUT", gate.put(f"{path}/g1/member/a1", {"name": "a1"}), 405)

    status(f"{label} group in a group", group.create({"name": "top", "member": rows("g1")}), 200)
    status(f"{label} loop", group.update({"name": "g1", "member": rows("top")}), 500, -651)
    status(f"{label} address delete in use", address.delete("a1"), 500, -23)
    status(f"{label} group delete in use", group.delete("g1"), 500, -23)
    status(f"{label} rename", gate.put(f"{path}/g1", {"name": "g9"}), 200)
    case(f"{label} rename is followed", members(group, "top") == ["g9"] and not group.is_exist("g1"))
    status(f"{label} group delete", group.delete("top"), 200)
    status(f"{label} group delete again", group.delete("top"), 404)
    status(f"{label} group delete by filter", group.delete(filter="name==g9"), 200)
    for name in ("a1", "a2", "a 3/x"):
        status(f"{label} address delete {name}", address.delete(name), 200)


def policies(api):
    policy = api.cmdb.firewall.policy
    api.cmdb.firewall.address.create({"name": "p", "subnet": "10.7.7.7/32"})
    body = {"srcaddr": rows("p"), "dstaddr": rows("all"), "srcintf": rows("any"), "dstintf": rows("any")}
    for number in (1, 2):
        more = {"policyid": number, "name": f"p{number}", "action": "accept", "schedule": "always", "service": rows("ALL")}
        status(f"policy create {number}", policy.create({**body, **more}), 200)
    status("policy uses address", api.cmdb.firewall.address.delete("p"), 500, -23)
    status("policy move", policy.move(policyid=1, position="after", neighbor=2), 200)
    case("policy order", [item["policyid"] for item in policy.get()] == [2, 1])
    for number in (1, 2):
        status(f"policy delete {number}", policy.delete(number), 200)
    status("policy gone", api.cmdb.firewall.address.delete("p"), 200)


def main():
    api = FortiGateAPI(host="127.0.0.1", token=TOKEN, port=PORT, verify=True)
    api.login()
    for label, kinds in FAMILIES.items():
        family(api, label, kinds)
    policies(api)
    other = FortiGateAPI(host="127.0.0.1", token=TOKEN, port=PORT, verify=True, vdom="dmz")
    case("other VDOM has none of it", not other.cmdb.firewall.address.is_exist("a1"))
    missing = FortiGateAPI(host="127.0.0.1", token=TOKEN, port=PORT, verify=True, vdom="nowhere")
    case("unknown VDOM", missing.cmdb.firewall.address.get() == [])
    api.logout()
    wrong = FortiGateAPI(host="127.0.0.1", token="not-the-token", port=PORT, verify=True)
    try:
        wrong.login()
        case("wrong token", False, "was let in")
    except Exception as error:  # the client wraps what requests raises
        case("wrong token", "401" in str(error), error)


main()
