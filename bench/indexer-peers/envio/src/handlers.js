const { Registry, Records } = require("../generated");

const text = (_, value) => (typeof value === "bigint" ? value.toString() : value);

for (const kind of [
  Registry.KeyPublished,
  Records.ChartOpened,
  Records.Granted,
  Records.Revoked,
  Records.RecordAdded,
  Records.RecordAmended,
]) {
  kind.handler(async ({ event, context }) => {
    context.event.set({
      id: `${event.block.number}-${event.logIndex}`,
      blockNumber: event.block.number,
      logIndex: event.logIndex,
      txHash: event.transaction.hash,
      contract: event.srcAddress,
      parameters: JSON.stringify(event.params, text),
    });
  });
}
