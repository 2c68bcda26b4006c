/** How many objects fit, per model. `0` = no limit stated. Numbers: recorded schema replies of real units. */
export interface Limits {
  readonly address: number;
  readonly addrgrp: number;
  readonly "addrgrp.member": number;
  readonly address6: number;
  readonly addrgrp6: number;
  readonly "addrgrp6.member": number;
  readonly "external-resource": number;
  readonly policy: number;
}
export type LimitName = keyof Limits;

const COMMON = { addrgrp6: 8192, "addrgrp6.member": 0, "external-resource": 256 };

export const MODELS = {
  vm: { ...COMMON, address: 100_000, addrgrp: 30_000, "addrgrp.member": 5000, address6: 100_000, policy: 0 },
  "1500D": {
    ...COMMON,
    address: 65_000,
    addrgrp: 25_000,
    "addrgrp.member": 5000,
    address6: 40_000,
    policy: 0,
  },
  "1800F": {
    ...COMMON,
    address: 100_000,
    addrgrp: 25_000,
    "addrgrp.member": 5000,
    address6: 40_000,
    policy: 0,
  },
  entry: { ...COMMON, address: 20_000, addrgrp: 2500, "addrgrp.member": 600, address6: 20_000, policy: 0 },
} as const satisfies Record<string, Limits>;
export type ModelName = keyof typeof MODELS;

export const LIMIT_NAMES = Object.keys(MODELS.vm) as LimitName[];

/** A model's limits with some of them replaced. */
export function limitsOf(model: ModelName, overrides: Partial<Limits> = {}): Limits {
  return { ...MODELS[model], ...overrides };
}
