import { BUS_FAULTS } from "./bus.ts";
import { DEVICE_FAULTS } from "./device.ts";
import type { FaultClass } from "./fault.ts";
import { KUBERNETES_FAULTS } from "./kubernetes.ts";
import { LIFE_CYCLE_FAULTS } from "./life-cycle.ts";
import { PROCESS_FAULTS } from "./process.ts";

export const FAULTS: readonly FaultClass[] = [
  ...BUS_FAULTS,
  ...KUBERNETES_FAULTS,
  ...DEVICE_FAULTS,
  ...PROCESS_FAULTS,
  ...LIFE_CYCLE_FAULTS,
];
