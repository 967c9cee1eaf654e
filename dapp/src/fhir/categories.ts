// The categories that people share by: the default map of compartments, numbers as in crates/fhir/src/label.rs.
import { locale, text } from "../text";

export interface Category {
  number: number;
  /** The word that the client takes where a category is chosen. */
  key: CategoryKey;
  name: string;
  explanation: string;
}
export type CategoryKey = keyof typeof text.fhir.categories;

const KEYS: CategoryKey[] = [
  "demographics",
  "allergies",
  "medications",
  "conditions",
  "labs",
  "vitals",
  "immunisations",
  "encounters",
  "procedures",
  "imaging",
  "claims",
  "documents",
  "care-plans",
  "administrative",
  "other",
  "sensitive",
];

export const CATEGORIES: readonly Category[] = KEYS.map((key, number) => ({ number, key, ...text.fhir.categories[key] }));

/** What is too sensitive to go along with other shares. */
export const SENSITIVE = 15;
/** Holds how the files came that records were made from; nothing in it is for people. */
export const FRAMES = 16;

export function categoryOf(compartment: number): Category | undefined {
  return CATEGORIES[compartment];
}

export function categoryName(compartment: number): string {
  return CATEGORIES[compartment]?.name ?? text.fhir.unnamedCategory(compartment);
}

/** "Allergies, Medications and Lab results". */
export function categoryNames(compartments: readonly number[]): string {
  const shown = compartments.filter((compartment) => compartment !== FRAMES);
  const missing = CATEGORIES.filter(({ number }) => !shown.includes(number));
  if (missing.length === 0) return text.fhir.everyCategory;
  if (missing.length === 1 && missing[0] !== undefined) return text.fhir.everyCategoryBut(missing[0].name);
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(shown.map(categoryName));
}
