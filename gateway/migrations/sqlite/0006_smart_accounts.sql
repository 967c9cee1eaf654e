-- A smart account's signature is as long as its code wants it (EIP-1271), up to a bound.

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
    signature    BLOB    NOT NULL CHECK (length(signature) <= 4096),
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
INSERT INTO receipt SELECT * FROM receipt_before ORDER BY gateway, sequence;
DROP TABLE receipt_before;
CREATE INDEX receipt_by_chart ON receipt (gateway, chart, sequence);
CREATE INDEX receipt_by_reader ON receipt (gateway, reader, chart, record_id, version, sequence);

CREATE TRIGGER receipt_is_append_only_update BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
CREATE TRIGGER receipt_is_append_only_delete BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
