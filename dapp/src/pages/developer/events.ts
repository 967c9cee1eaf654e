// Events of Medlock's contracts, read from the chain itself: not by way of the gateway or its index.
import {
  BaseError, createPublicClient, decodeEventLog, http, HttpRequestError, ResponseBodyTooLargeError, RpcRequestError, TimeoutError, type Abi,
  type PublicClient,
} from "viem";
import { CoreError, type Config, type Hex } from "../../core/core";
import { parseWord } from "../../hex";
import { text } from "../../text";
import { contracts, type ContractName } from "./contracts";

/** Of the first range: every node answers about that many. Each range that has not what is wanted is followed by one of twice as many. */
const BLOCKS_FIRST = 50;
/** Of the largest: more events than that many blocks may have, a page does not show. */
const BLOCKS_MOST = 5_000;
/** A node that refuses even that few has another reason than the size of the range. */
const BLOCKS_LEAST = 10;
/** Ranges a click: what a node may take for too much. */
const READS_MOST = 40;
/** Events a click, about: ours may be many where none is wanted. */
const EVENTS_MOST = 5_000;
/** Of a node's own words. */
const SAID_MOST = 200;

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

/** Texts that an event must fit; empty: all do. */
export interface Filter {
  contract: string;
  name: string;
  chart: string;
}

export interface Chain {
  client: PublicClient;
  config: Config;
  /** Blocks that its node answers about in one go, as far as we have learned. */
  blocksMost: number;
}

export function connect(config: Config): Chain {
  const client = createPublicClient({ transport: http(new URL(config.rpc, location.href).href, { retryCount: 1 }) });
  return { client, config, blocksMost: BLOCKS_MOST };
}

export async function newestBlock({ client, config }: Chain): Promise<bigint> {
  try {
    return await client.getBlockNumber({ cacheTime: 0 });
  } catch (error) {
    throw nodeFault(config, error);
  }
}

/** Reads range by range, from block `to` back to the deployment, until `each` has enough or a click's worth is read. */
export async function readBack(chain: Chain, to: bigint, each: (page: Page) => "enough" | "more"): Promise<void> {
  const oldest = BigInt(chain.config.deployment.block);
  const learned = chain.blocksMost;
  let loaded = 0;
  let last = to;
  let blocks = Math.min(BLOCKS_FIRST, chain.blocksMost);
  for (let reads = 0; reads < READS_MOST && last >= oldest; reads++) {
    const from = last - BigInt(blocks) + 1n > oldest ? last - BigInt(blocks) + 1n : oldest;
    let events: ChainEvent[];
    try {
      events = await read(chain, from, last);
    } catch (error) {
      if (blocks <= BLOCKS_LEAST || !mayBeTooMany(error, blocks)) {
        // It was not the size.
        chain.blocksMost = learned;
        throw nodeFault(chain.config, error);
      }
      blocks = Math.floor(blocks / 2);
      chain.blocksMost = blocks;
      continue;
    }
    loaded += events.length;
    if (each({ events, from, to: last }) === "enough" || loaded >= EVENTS_MOST) return;
    last = from - 1n;
    blocks = Math.min(blocks * 2, chain.blocksMost);
  }
}

export function fits(event: ChainEvent, { contract, name, chart }: Filter): boolean {
  const wanted = chart.trim().toLowerCase();
  return (
    (contract === "" || event.contract === contract) &&
    (name === "" || event.name === name) &&
    (wanted === "" || event.arguments.some((one) => one.name === "chart" && one.value.toLowerCase().includes(wanted)))
  );
}

/** A block's number, also as these pages write it, or a transaction's hash; null: neither. */
export function parsePlace(written: string): { block: bigint } | { transaction: Hex } | null {
  const transaction = parseWord(written);
  if (transaction !== null) return { transaction };
  const digits = written.replace(/[\s,]/g, "");
  return /^\d{1,15}$/.test(digits) ? { block: BigInt(digits) } : null;
}

async function read({ client, config }: Chain, from: bigint, to: bigint): Promise<ChainEvent[]> {
  const known = contracts(config);
  const logs = await client.getLogs({ address: known.map((one) => one.address), fromBlock: from, toBlock: to });
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
  return events.sort((one, other) => Number(other.block - one.block) || other.logIndex - one.logIndex);
}

/** The node says no, answers too much, or takes too long for more than every node answers about. */
function mayBeTooMany(error: unknown, blocks: number): boolean {
  if (status(error) === 429) return false;
  const tooLong = blocks > BLOCKS_FIRST && cause(error, TimeoutError) !== null;
  return refusal(error) !== null || status(error) === 413 || cause(error, ResponseBodyTooLargeError) !== null || tooLong;
}

function nodeFault({ rpc }: Config, error: unknown): CoreError {
  const words = text.developer;
  const said = refusal(error);
  if (status(error) === 429) return new CoreError({ kind: "busy", message: words.nodeBusy(rpc), reason: null });
  if (said !== null) return new CoreError({ kind: "refused", message: words.nodeRefused(rpc, said.slice(0, SAID_MOST)), reason: null });
  return new CoreError({ kind: "offline", message: words.noAnswer(rpc), reason: null });
}

/** What the node says to a question that it does not answer; null: it has said nothing. */
function refusal(error: unknown): string | null {
  return cause(error, RpcRequestError)?.details ?? null;
}

function status(error: unknown): number | null {
  return (cause(error, RpcRequestError) ?? cause(error, HttpRequestError))?.status ?? null;
}

function cause<E>(error: unknown, kind: abstract new (...args: never[]) => E): E | null {
  return error instanceof BaseError ? (error.walk((one) => one instanceof kind) as E | null) : null;
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
