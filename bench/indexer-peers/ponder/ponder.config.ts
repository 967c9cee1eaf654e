import { readFileSync } from "node:fs";
import { createConfig } from "ponder";

// What the bench tells each peer (bench/src/indexer/peers.rs).
const { RPC_URL, DATABASE_URL, CHAIN_ID, FIRST_BLOCK, REGISTRY, RECORDS } = process.env;

const contract = (name: string, address: string | undefined) => ({
  chain: "local",
  abi: JSON.parse(readFileSync(`../../../contracts/abi/generated/${name}.json`, "utf8")),
  address: address as `0x${string}`,
  startBlock: Number(FIRST_BLOCK),
});

export default createConfig({
  database: { kind: "postgres", connectionString: DATABASE_URL },
  chains: { local: { id: Number(CHAIN_ID), rpc: RPC_URL } },
  contracts: { Registry: contract("IRegistry", REGISTRY), Records: contract("IRecords", RECORDS) },
});
