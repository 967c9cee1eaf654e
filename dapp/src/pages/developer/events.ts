// Events of Medlock's contracts, read from the chain itself: not by way of the gateway or its index.
import { createPublicClient, decodeEventLog, http, type Abi, type PublicClient } from "viem";
import { CoreError, type Config, type Hex } from "../../core/core";
import { text } from "../../text";
import { contracts, type ContractName } from "./contracts";

/** What a public node answers in one go. */
const BLOCKS_AT_ONCE = 50n;

export interface ChainEvent {
  contract: ContractName;
  name: string;
  block: bigint;
  transaction: Hex;
  logIndex: number;
  arguments: { name: string; value: string }[];
}

export interface Page {
  /** Newest first. */
  events: ChainEvent[];
  from: bigint;
  to: bigint;
}

export function connect(config: Config): PublicClient {
  return createPublicClient({ transport: http(new URL(config.rpc, location.href).href, { retryCount: 1 }) });
}

/** Those of the blocks up to `to`; without it, up to the newest. */
export async function load(client: PublicClient, config: Config, to?: bigint): Promise<Page> {
  try {
    return await read(client, config, to);
  } catch {
    // What a node says is for its operator: here it is the chain that does not answer.
    throw new CoreError({ kind: "offline", message: text.developer.noAnswer(config.rpc), reason: null });
  }
}

async function read(client: PublicClient, config: Config, to?: bigint): Promise<Page> {
  const last = to ?? (await client.getBlockNumber({ cacheTime: 0 }));
  const first = last >= BLOCKS_AT_ONCE ? last - BLOCKS_AT_ONCE + 1n : 0n;
  const known = contracts(config);
  const logs = await client.getLogs({ address: known.map((one) => one.address), fromBlock: first, toBlock: last });
  const events = logs.flatMap((log): ChainEvent[] => {
    const contract = known.find((one) => one.address.toLowerCase() === log.address.toLowerCase());
    if (contract === undefined) return [];
    return [
      {
        contract: contract.name,
        block: log.blockNumber,
        transaction: log.transactionHash,
        logIndex: log.logIndex,
        ...decode(contract.abi, log),
      },
    ];
  });
  events.sort((one, other) => Number(other.block - one.block) || other.logIndex - one.logIndex);
  return { events, from: first, to: last };
}

/** An event that the interface does not have is shown as it came. */
function decode(abi: Abi, log: { topics: [Hex, ...Hex[]] | []; data: Hex }): Pick<ChainEvent, "name" | "arguments"> {
  try {
    const found = decodeEventLog({ abi, topics: log.topics, data: log.data });
    const given = Object.entries((found.args ?? {}) as Record<string, unknown>);
    return { name: found.eventName ?? "", arguments: given.map(([name, value]) => ({ name, value: shown(value) })) };
  } catch {
    return {
      name: "",
      arguments: [...log.topics.map((topic, index) => ({ name: `topic ${index}`, value: topic })), { name: "data", value: log.data }],
    };
  }
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null)
    return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
  return String(value);
}
