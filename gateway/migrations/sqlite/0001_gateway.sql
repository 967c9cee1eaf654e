-- What one gateway must not forget: whom it has let in, and every read that it has served.

-- The deployment and account that this file belongs to. One row.
CREATE TABLE gateway (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id      INTEGER NOT NULL,
    genesis_hash  BLOB    NOT NULL CHECK (length(genesis_hash) = 32),
    records       BLOB    NOT NULL CHECK (length(records) = 20),
    account       BLOB    NOT NULL CHECK (length(account) = 20),
    -- Authenticates the nonces of sign-in challenges, so that a challenge costs no row until it is answered.
    challenge_key BLOB    NOT NULL CHECK (length(challenge_key) = 32)
) STRICT;

-- Nonces of challenges that were answered, until the challenge expires: each opens one session.
CREATE TABLE used_nonce (
    nonce      TEXT    PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_nonce_by_expiry ON used_nonce (expires_at);

-- The token itself is never stored.
CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    account    BLOB    NOT NULL CHECK (length(account) = 20),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account, created_at);
-- Ended sessions are dropped at each sign-in.
CREATE INDEX session_by_expiry ON session (expires_at);

-- Append-only, hash-chained (medlock_api::receipt): written, and on disk, before the envelope is served.
CREATE TABLE receipt (
    sequence     INTEGER PRIMARY KEY CHECK (sequence > 0),
    chart        BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id    BLOB    NOT NULL CHECK (length(record_id) = 32),
    version      INTEGER NOT NULL,
    pointer      BLOB    NOT NULL CHECK (length(pointer) = 32),
    reader       BLOB    NOT NULL CHECK (length(reader) = 20),
    purpose      INTEGER NOT NULL,
    read_at      INTEGER NOT NULL,
    nonce        BLOB    NOT NULL UNIQUE CHECK (length(nonce) = 32),
    signature    BLOB    NOT NULL CHECK (length(signature) = 65),
    block_number INTEGER NOT NULL,
    block_hash   BLOB    NOT NULL CHECK (length(block_hash) = 32),
    reason       INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    previous     BLOB    NOT NULL UNIQUE CHECK (length(previous) = 32),
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX receipt_by_chart ON receipt (chart, sequence);
CREATE INDEX receipt_by_reader ON receipt (reader, chart, record_id, version, sequence);

CREATE TRIGGER receipt_is_append_only_update BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
CREATE TRIGGER receipt_is_append_only_delete BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
