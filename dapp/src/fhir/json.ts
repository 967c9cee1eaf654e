// Records come from anywhere: nothing is taken for granted of their shape, so every step into one may find nothing.
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
/** What every reader here takes: a value that may not be there. */
export type Maybe = Json | undefined;
export interface Resource {
  [name: string]: Json;
  resourceType: string;
}

/** The value at a path of names; a list on the way stands for its first item. */
export function at(value: Maybe, ...path: string[]): Maybe {
  let here = value;
  for (const name of path) {
    const first = Array.isArray(here) ? here[0] : here;
    if (first === null || typeof first !== "object" || Array.isArray(first)) return undefined;
    here = Object.hasOwn(first, name) ? first[name] : undefined;
  }
  return here;
}

/** A list as it is, one value as a list of one, nothing as an empty list. */
export function items(value: Maybe): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function string(value: Maybe): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" && first.trim() !== "" ? first.trim() : undefined;
}

export function number(value: Maybe): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The `x` of `value[x]`: what stands under the first name that begins with `stem`. */
export function choice(value: Maybe, stem: string): { type: string; value: Json } | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  if (first === null || typeof first !== "object" || Array.isArray(first)) return undefined;
  for (const [name, found] of Object.entries(first)) {
    if (name.length > stem.length && name.startsWith(stem) && /[A-Z]/.test(name.charAt(stem.length))) {
      return { type: name.slice(stem.length), value: found };
    }
  }
  return undefined;
}

export function isResource(value: unknown): value is Resource {
  return typeof value === "object" && value !== null && typeof (value as { resourceType?: unknown }).resourceType === "string";
}
