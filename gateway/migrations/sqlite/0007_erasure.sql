-- What an envelope that was removed for good had linked to: so that it can be told what is left of a shredded record.
CREATE TABLE erasure (
    chart     BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id BLOB    NOT NULL CHECK (length(record_id) = 32),
    version   INTEGER NOT NULL CHECK (version > 0),
    -- sha2-256 digest of the payload's root block.
    payload   BLOB    NOT NULL CHECK (length(payload) = 32),
    erased_at INTEGER NOT NULL,
    -- Whether every store has said that the envelope is gone: 0 or 1.
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (chart, record_id, version)
) STRICT;
