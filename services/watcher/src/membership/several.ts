/**
 * None, one or many of something. One stands for itself: most addresses have one owner, and a Set for each of
 * 100,000 costs about 20 MB.
 */
export type Several<Item extends object> = undefined | Item | Set<Item>;

export function each<Item extends object>(several: Several<Item>): Iterable<Item> {
  if (several === undefined) return [];
  return several instanceof Set ? several : [several];
}

export function sizeOf<Item extends object>(several: Several<Item>): number {
  if (several === undefined) return 0;
  return several instanceof Set ? several.size : 1;
}

export function holds<Item extends object>(several: Several<Item>, item: Item): boolean {
  return several instanceof Set ? several.has(item) : several === item;
}

/** The same Set may come back, changed. */
export function plus<Item extends object>(several: Several<Item>, item: Item): Item | Set<Item> {
  if (several === undefined || several === item) return item;
  return several instanceof Set ? several.add(item) : new Set([several, item]);
}

/** The same Set may come back, changed. */
export function minus<Item extends object>(several: Several<Item>, item: Item): Several<Item> {
  if (several === item) return undefined;
  if (several instanceof Set) {
    several.delete(item);
    if (several.size <= 1) return [...several][0];
  }
  return several;
}
