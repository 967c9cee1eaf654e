-- Operations that gateways submit and pay for, and the transactions that they do it with.

CREATE TABLE operation (
    -- In the order of acceptance.
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- EIP-712: its name everywhere.
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- Who asked for it last: whose quota it counts against.
    account      BLOB    NOT NULL CHECK (length(account) = 20),
    signer       BLOB    NOT NULL CHECK (length(signer) = 20),
    method       TEXT    NOT NULL,
    call         BLOB    NOT NULL,
    deadline     INTEGER NOT NULL,
    gas_limit    INTEGER NOT NULL,
    accepted_at  INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('queued', 'submitted', 'mined', 'failed', 'expired', 'cancelled')),
    -- The sending that the state speaks of.
    payer        BLOB    CHECK (length(payer) = 20),
    nonce        INTEGER,
    tx           BLOB    CHECK (length(tx) = 32),
    block_number INTEGER,
    block_hash   BLOB    CHECK (length(block_hash) = 32),
    gas_used     INTEGER,
    fault        BLOB
) STRICT;
CREATE INDEX operation_by_account ON operation (account, sequence);
CREATE INDEX operation_by_signer ON operation (signer, sequence);
CREATE INDEX operation_queued ON operation (sequence) WHERE state = 'queued';
CREATE INDEX operation_submitted ON operation (signer) WHERE state = 'submitted';

-- What a caller named a submission, for a day.
CREATE TABLE idempotency (
    account     BLOB    NOT NULL CHECK (length(account) = 20),
    name        TEXT    NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    accepted_at INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- What was accepted on a day (UNIX time / 86400), by account; all together under the zero account.
CREATE TABLE quota (
    day        INTEGER NOT NULL,
    account    BLOB    NOT NULL CHECK (length(account) = 20),
    operations INTEGER NOT NULL,
    gas        INTEGER NOT NULL,
    PRIMARY KEY (day, account)
) STRICT, WITHOUT ROWID;

-- A nonce of a paying account belongs to one operation, for ever.
CREATE TABLE sending (
    payer   BLOB    NOT NULL CHECK (length(payer) = 20),
    nonce   INTEGER NOT NULL,
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    -- 1: deep in the chain, or given up: not looked after any more.
    settled INTEGER NOT NULL,
    PRIMARY KEY (payer, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX sending_open ON sending (payer, nonce) WHERE settled = 0;

-- Signed transactions with one nonce, each with a higher fee than the one before. Written before it is sent, and only ever sent as
-- it stands here.
CREATE TABLE attempt (
    payer     BLOB    NOT NULL CHECK (length(payer) = 20),
    nonce     INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    tx        BLOB    NOT NULL UNIQUE CHECK (length(tx) = 32),
    raw       BLOB    NOT NULL,
    fee       INTEGER NOT NULL,
    tip       INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    -- Not NULL: it uses the nonce up and does nothing, as the operation is refused with this error by now.
    fault     BLOB,
    PRIMARY KEY (payer, nonce, number)
) STRICT, WITHOUT ROWID;
