// A Medlock gateway, typed. Start at `Gateway`; `Session` is what it gives to who signs in.
//
// It holds no key and decrypts nothing. What a gateway says is to be believed as far as it can be checked: a block against its CID, a
// verdict by its signature (`verdictsTypedData`), all else against the chain.
export { Gateway, Session } from "./gateway.js";
export type { Basis, GatewayOptions, Readable, Resource, Schemas, SearchParameters } from "./gateway.js";
export { Outcome, Problem } from "./problem.js";
export type { ProblemType } from "./problem.js";
export { ofProvider } from "./signin.js";
export type { Provider, Signer } from "./signin.js";
export { verdictsTypedData } from "./verdict.js";
export type { Hashes } from "./verdict.js";
