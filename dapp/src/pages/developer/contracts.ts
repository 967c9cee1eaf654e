// Medlock's contracts: where they are, by the deployment, and how they are called, by the generated interfaces.
import auditAbi from "../../../../contracts/abi/generated/IAudit.json";
import claimsAbi from "../../../../contracts/abi/generated/IClaims.json";
import exceptionsAbi from "../../../../contracts/abi/generated/IExceptions.json";
import recordsAbi from "../../../../contracts/abi/generated/IRecords.json";
import registryAbi from "../../../../contracts/abi/generated/IRegistry.json";
import relayAbi from "../../../../contracts/abi/generated/IRelay.json";
import supplyAbi from "../../../../contracts/abi/generated/ISupply.json";
import trialsAbi from "../../../../contracts/abi/generated/ITrials.json";
import type { Abi } from "viem";
import type { Config, Hex } from "../../core/core";

export type ContractName = "registry" | "records" | "exceptions" | "relay" | "audit" | "claims" | "supply" | "trials";

export interface Contract {
  name: ContractName;
  /** Of the Solidity interface, and of its file. */
  interfaceName: string;
  address: Hex;
  abi: Abi;
}

export function contracts({ deployment }: Config): Contract[] {
  return [
    { name: "registry", interfaceName: "IRegistry", address: deployment.registry, abi: registryAbi as Abi },
    { name: "records", interfaceName: "IRecords", address: deployment.records, abi: recordsAbi as Abi },
    { name: "exceptions", interfaceName: "IExceptions", address: deployment.exceptions, abi: exceptionsAbi as Abi },
    { name: "relay", interfaceName: "IRelay", address: deployment.relay, abi: relayAbi as Abi },
    { name: "audit", interfaceName: "IAudit", address: deployment.audit, abi: auditAbi as Abi },
    { name: "claims", interfaceName: "IClaims", address: deployment.claims, abi: claimsAbi as Abi },
    { name: "supply", interfaceName: "ISupply", address: deployment.supply, abi: supplyAbi as Abi },
    { name: "trials", interfaceName: "ITrials", address: deployment.trials, abi: trialsAbi as Abi },
  ];
}
