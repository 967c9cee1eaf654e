-- Several gateways share one database: what is one gateway's names its account, the challenge key is everybody's.

CREATE TABLE deployment (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id      INTEGER NOT NULL,
    genesis_hash  BLOB    NOT NULL CHECK (length(genesis_hash) = 32),
    records       BLOB    NOT NULL CHECK (length(records) = 20),
    -- Authenticates the nonces of sign-in challenges, so that a challenge costs no row until it is answered.
    challenge_key BLOB    NOT NULL CHECK (length(challenge_key) = 32)
) STRICT;
INSERT INTO deployment SELECT id, chain_id, genesis_hash, records, challenge_key FROM gateway;

ALTER TABLE upkeep RENAME TO upkeep_before;
CREATE TABLE upkeep (
    gateway  BLOB    PRIMARY KEY CHECK (length(gateway) = 20),
    referred INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO upkeep SELECT gateway.account, upkeep_before.referred FROM gateway, upkeep_before;
DROP TABLE upkeep_before;

DROP TRIGGER receipt_is_append_only_update;
DROP TRIGGER receipt_is_append_only_delete;
DROP INDEX receipt_by_chart;
DROP INDEX receipt_by_reader;
ALTER TABLE receipt RENAME TO receipt_before;
-- Append-only, hash-chained (medlock_api::receipt), a chain for each gateway: written, and on disk, before the envelope is served.
CREATE TABLE receipt (
    gateway      BLOB    NOT NULL CHECK (length(gateway) = 20),
    sequence     INTEGER NOT NULL CHECK (sequence > 0),
    chart        BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id    BLOB    NOT NULL CHECK (length(record_id) = 32),
    version      INTEGER NOT NULL,
    pointer      BLOB    NOT NULL CHECK (length(pointer) = 32),
    reader       BLOB    NOT NULL CHECK (length(reader) = 20),
    purpose      INTEGER NOT NULL,
    read_at      INTEGER NOT NULL,
    nonce        BLOB    NOT NULL CHECK (length(nonce) = 32),
    signature    BLOB    NOT NULL CHECK (length(signature) = 65),
    block_number INTEGER NOT NULL,
    block_hash   BLOB    NOT NULL CHECK (length(block_hash) = 32),
    reason       INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    previous     BLOB    NOT NULL CHECK (length(previous) = 32),
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    PRIMARY KEY (gateway, sequence),
    UNIQUE (gateway, nonce),
    -- A chain does not fork.
    UNIQUE (gateway, previous)
) STRICT;
INSERT INTO receipt
    SELECT gateway.account, sequence, chart, record_id, version, pointer, reader, purpose, read_at, nonce, signature,
           block_number, block_hash, reason, received_at, previous, hash
    FROM receipt_before, gateway ORDER BY sequence;
DROP TABLE receipt_before;
DROP TABLE gateway;
CREATE INDEX receipt_by_chart ON receipt (gateway, chart, sequence);
CREATE INDEX receipt_by_reader ON receipt (gateway, reader, chart, record_id, version, sequence);

CREATE TRIGGER receipt_is_append_only_update BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
CREATE TRIGGER receipt_is_append_only_delete BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
