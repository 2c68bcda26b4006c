import t from "tap";
import { namespaceFact } from "../../src/facts/namespace-fact.ts";
import { nodeReading } from "../../src/facts/node-fact.ts";

const address = (type: string, value: string) => ({ type, address: value });

t.test("a node gives its InternalIPs and ExternalIPs, several of each, and no names", async (t) => {
  const { fact, rejected } = nodeReading({
    metadata: { uid: "u", name: "n1", labels: { zone: "a" }, resourceVersion: "3" },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: "Ready", status: "False" }],
      addresses: [
        address("Hostname", "n1"),
        address("InternalIP", "192.168.0.1"),
        address("InternalIP", "FD00::1"),
        address("ExternalIP", "203.0.113.1"),
        address("InternalDNS", "n1.local"),
      ],
    },
  });
  t.strictSame(fact, {
    uid: "u",
    name: "n1",
    labels: { zone: "a" },
    internal: ["192.168.0.1", "fd00::1"],
    external: ["203.0.113.1"],
    resourceVersion: "3",
  });
  t.strictSame(rejected, []);
});

t.test("unusable addresses of a node are told, whatever their type", async (t) => {
  const addresses = [address("InternalIP", "127.0.0.1"), address("ExternalIP", "fe80::1")];
  const { fact, rejected } = nodeReading({ status: { addresses } });
  t.match(fact, { internal: [], external: [] });
  t.strictSame(rejected, ["127.0.0.1", "fe80::1"]);
});

t.test("a namespace is its name, its labels and its uid", async (t) => {
  const metadata = { uid: "u", name: "shop", labels: { env: "prod", odd: 7 }, resourceVersion: "9" };
  t.strictSame(namespaceFact({ metadata, status: { phase: "Terminating" } }), {
    uid: "u",
    name: "shop",
    labels: { env: "prod" },
    resourceVersion: "9",
  });
});
