import { en } from "./en";

/** Everything that the pages say, in the reader's language: for now there is one. */
export const text = en;
