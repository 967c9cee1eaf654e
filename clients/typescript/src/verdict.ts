// What a gateway signs when it answers questions (`Verdicts`, EIP-712), built here from the answer alone.
import { domain, signedTypes, terms } from "../../../contracts/abi/generated/medlock.js";
import type { components } from "./openapi.js";

type Hex = `0x${string}`;
type Verdict = components["schemas"]["Verdict"];

/** Two functions of viem, or of another library that has them: this package has no hash function. */
export interface Hashes {
  keccak256(bytes: Hex): Hex;
  hashStruct(parameters: {
    data: Record<string, unknown>;
    primaryType: "Verdict";
    types: { Verdict: { name: string; type: string }[] };
  }): Hex;
}

/**
 * The typed data that `reply.signature` is over, as viem's `verifyTypedData` takes it; the signer must be the account that
 * `deployment.gateway` names. Take `deployment` from where you trust it, not from the gateway that is checked.
 *
 * Whether each verdict answers its question (chart, grantee, purpose, time) is for the caller to compare.
 */
export function verdictsTypedData(
  deployment: { chain_id: number; records: Hex },
  verdicts: readonly Verdict[],
  { keccak256, hashStruct }: Hashes,
) {
  const types = { Verdict: [...signedTypes.Verdict] };
  const leaves = verdicts.map((verdict) => {
    const hash = hashStruct({ data: statement(verdict), primaryType: "Verdict", types });
    return keccak256(`0x00${hash.slice(2)}`);
  });
  return {
    domain: domain(deployment.chain_id, deployment.records),
    types: { Verdicts: signedTypes.Verdicts },
    primaryType: "Verdicts",
    message: { root: root(leaves, keccak256), count: verdicts.length },
  } as const;
}

function statement(verdict: Verdict) {
  return {
    chart: verdict.chart,
    grantee: verdict.grantee,
    compartment: verdict.compartment,
    recordId: verdict.record_id,
    purpose: terms.purpose[verdict.purpose],
    action: terms.action[verdict.action],
    at: BigInt(verdict.at),
    allowed: verdict.allowed,
    reason: verdict.reason_code,
    blockNumber: BigInt(verdict.block_number),
    blockHash: verdict.block_hash,
  };
}

/** RFC 9162, 2.1, with keccak256: what has no sibling rises as it is. */
function root(leaves: readonly Hex[], keccak256: Hashes["keccak256"]): Hex {
  const [first, second] = leaves;
  if (first === undefined) throw new Error("there are no verdicts");
  if (second === undefined) return first;
  const above: Hex[] = [];
  for (let at = 0; at < leaves.length; at += 2) {
    const [left, right] = leaves.slice(at, at + 2);
    if (left) above.push(right ? keccak256(`0x01${left.slice(2)}${right.slice(2)}`) : left);
  }
  return root(above, keccak256);
}
