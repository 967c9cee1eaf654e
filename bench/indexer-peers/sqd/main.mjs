import { EvmBatchProcessor } from "@subsquid/evm-processor";
import { TypeormDatabase } from "@subsquid/typeorm-store";
import pg from "pg";
import model from "./lib/model/index.js";

// What the bench tells each peer (bench/src/indexer/peers.rs).
const { RPC_URL, DATABASE_URL, FIRST_BLOCK, REGISTRY, RECORDS } = process.env;

// Where TypeORM looks.
process.env.DB_URL = DATABASE_URL;
const client = new pg.Client(DATABASE_URL);
await client.connect();
await client.query(
  "CREATE TABLE event (id text PRIMARY KEY, block_number integer, log_index integer, tx_hash text, contract text, topics text, data text)",
);
await client.end();

const processor = new EvmBatchProcessor()
  .setRpcEndpoint({ url: RPC_URL })
  .setFinalityConfirmation(10)
  .setFields({ log: { topics: true, data: true, transactionHash: true } })
  .addLog({ address: [REGISTRY, RECORDS].map((address) => address.toLowerCase()) })
  .setBlockRange({ from: Number(FIRST_BLOCK) });

processor.run(new TypeormDatabase(), async ({ blocks, store }) => {
  const rows = blocks.flatMap(({ header, logs }) =>
    logs.map((log) => new model.Event(header.height, log)),
  );
  await store.insert(rows);
});
