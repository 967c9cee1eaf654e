const { EntitySchema } = require("typeorm");

class Event {
  constructor(blockNumber, log) {
    // TypeORM makes one without arguments to see what it has.
    if (log === undefined) return;
    this.id = log.id;
    this.blockNumber = blockNumber;
    this.logIndex = log.logIndex;
    this.txHash = log.transactionHash;
    this.contract = log.address;
    this.topics = log.topics.join("");
    this.data = log.data;
  }
}

const text = { type: "text" };
const integer = { type: "integer" };

exports.Event = Event;
exports.schema = new EntitySchema({
  name: "event",
  target: Event,
  columns: {
    id: { type: "text", primary: true },
    blockNumber: integer,
    logIndex: integer,
    txHash: text,
    contract: text,
    topics: text,
    data: text,
  },
});
