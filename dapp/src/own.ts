/**
 * What a table of words has for a key. Keys come from records and from other parties: `table["constructor"]` would be what every
 * object inherits, and no text.
 */
export function own<V>(table: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
