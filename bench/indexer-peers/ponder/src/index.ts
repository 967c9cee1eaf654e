import { ponder } from "ponder:registry";
import { event } from "ponder:schema";

for (const name of [
  "Registry:KeyPublished",
  "Records:ChartOpened",
  "Records:Granted",
  "Records:Revoked",
  "Records:RecordAdded",
  "Records:RecordAmended",
] as const) {
  ponder.on(name, async ({ event: { log, block, transaction }, context }) => {
    await context.db.insert(event).values({
      blockNumber: block.number,
      logIndex: log.logIndex,
      txHash: transaction.hash,
      contract: log.address,
      topics: log.topics.join(""),
      data: log.data,
    });
  });
}
