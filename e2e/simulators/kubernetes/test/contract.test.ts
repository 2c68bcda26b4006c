import { startSimulator } from "../src/simulator.ts";
import { kubernetesContract } from "./contract.ts";

kubernetesContract("simulator", async () => {
  const simulator = await startSimulator();
  const { cluster, api, url, token } = simulator;
  return {
    access: { url, token },
    createNamespace: async (name) => cluster.createNamespace(name),
    createPod: async (namespace, name, round) =>
      void cluster.createPod({ namespace, name, labels: { round }, phase: "Pending", container: "none" }),
    relabelPod: async (namespace, name, round) =>
      void cluster.changePod(namespace, name, { labels: { round } }),
    deletePod: async (namespace, name) => void cluster.deletePod(namespace, name),
    compact: async () => api.compact(),
    close: () => simulator.close(),
  };
});
