// Compiled, not run: viem infers what the exported ABI says. Each `@ts-expect-error` is an error that must be found.
import { createPublicClient, encodeFunctionData, http, type Address, type Hex } from "viem";
import { domain, recordsAbi, relayAbi, signedTypes, terms } from "../../../contracts/abi/generated/medlock";

const chart: Hex = "0x01";
const clinic: Address = "0x02";

encodeFunctionData({
  abi: recordsAbi,
  functionName: "grant",
  args: [clinic, chart, 1, clinic, 0, { compartments: 8n, purposes: terms.purpose.TREAT, actions: terms.action.read, notBefore: 0n, expiry: 0n }, chart],
});
encodeFunctionData({
  abi: recordsAbi,
  // @ts-expect-error there is no such function
  functionName: "grants",
});
encodeFunctionData({
  abi: recordsAbi,
  functionName: "offerControl",
  // @ts-expect-error an address is wanted
  args: [clinic, chart, 5],
});

export async function asks() {
  const client = createPublicClient({ transport: http() });
  const [allowed, reason] = await client.readContract({
    address: clinic,
    abi: recordsAbi,
    functionName: "decide",
    args: [{ chart, grantee: clinic, member: clinic, compartment: 3, recordId: chart, purpose: terms.purpose.HPAYMT, action: terms.action.read }],
  });
  const yes: boolean = allowed;
  const why: number = reason;
  // @ts-expect-error a boolean is no number
  const wrong: number = allowed;
  return [yes, why === terms.reason["denied-by-rule"], wrong];
}

export const operation = {
  domain: domain(412346, clinic),
  types: { Revoke: signedTypes.Revoke, Resealed: signedTypes.Resealed },
  primaryType: "Revoke" as const,
};
export const methods = relayAbi.filter((item) => item.type === "function").map((item) => item.name);
