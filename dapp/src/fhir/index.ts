// FHIR for people: pure functions and components, no input or output. Begin with summary.ts and view.tsx.
export { CATEGORIES, categoryName, categoryNames, categoryOf, FRAMES, SENSITIVE, type Category, type CategoryKey } from "./categories";
export { isFhir, knownResource, loadResource, useRelated, useResource, type Related } from "./resource";
export { kindOf, summarise, summariseResource, type Summary } from "./summary";
export { RecordView, type RecordViewProps } from "./view";
