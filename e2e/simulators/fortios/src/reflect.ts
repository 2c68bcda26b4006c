/**
 * The part of `reflect-metadata` that tsyringe, under @peculiar/x509, asks for when it is loaded. Import this first.
 */
type Metadata = Map<unknown, unknown>;
const STORE = new WeakMap<object, Metadata>();

interface ReflectMetadata {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  hasOwnMetadata?: (key: unknown, target: object) => boolean;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const reflect = Reflect as ReflectMetadata;
const own = (key: unknown, target: object): unknown => STORE.get(target)?.get(key);

function inherited(key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (STORE.get(at)?.has(key) === true) return own(key, at);
  }
  return undefined;
}

reflect.getMetadata ??= inherited;
reflect.getOwnMetadata ??= own;
reflect.hasOwnMetadata ??= (key, target) => STORE.get(target)?.has(key) === true;
reflect.defineMetadata ??= (key, value, target) => {
  const metadata = STORE.get(target) ?? new Map<unknown, unknown>();
  metadata.set(key, value);
  STORE.set(target, metadata);
};
