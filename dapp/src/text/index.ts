import { en } from "./en";

export { locale } from "./en";

/** Everything that the pages say, in the reader's language: for now there is one. */
export const text = en;

export type KnownFault = keyof typeof en.known;
