-- Operations that gateways submit and pay for, and the transactions that they do it with.

CREATE TABLE operation (
    -- In the order of acceptance.
    sequence     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- EIP-712: its name everywhere.
    digest       BYTEA  NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- Who asked for it last: whose quota it counts against.
    account      BYTEA  NOT NULL CHECK (length(account) = 20),
    signer       BYTEA  NOT NULL CHECK (length(signer) = 20),
    method       TEXT   NOT NULL,
    call         BYTEA  NOT NULL,
    deadline     BIGINT NOT NULL,
    gas_limit    BIGINT NOT NULL,
    accepted_at  BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('queued', 'submitted', 'mined', 'failed', 'expired', 'cancelled')),
    -- The sending that the state speaks of.
    payer        BYTEA  CHECK (length(payer) = 20),
    nonce        BIGINT,
    tx           BYTEA  CHECK (length(tx) = 32),
    block_number BIGINT,
    block_hash   BYTEA  CHECK (length(block_hash) = 32),
    gas_used     BIGINT,
    fault        BYTEA
);
CREATE INDEX operation_by_account ON operation (account, sequence);
CREATE INDEX operation_by_signer ON operation (signer, sequence);
CREATE INDEX operation_queued ON operation (sequence) WHERE state = 'queued';
CREATE INDEX operation_submitted ON operation (signer) WHERE state = 'submitted';

-- What a caller named a submission, for a day.
CREATE TABLE idempotency (
    account     BYTEA  NOT NULL CHECK (length(account) = 20),
    name        TEXT   NOT NULL,
    digest      BYTEA  NOT NULL CHECK (length(digest) = 32),
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);

-- What was accepted on a day (UNIX time / 86400), by account; all together under the zero account.
CREATE TABLE quota (
    day        BIGINT NOT NULL,
    account    BYTEA  NOT NULL CHECK (length(account) = 20),
    operations BIGINT NOT NULL,
    gas        BIGINT NOT NULL,
    PRIMARY KEY (day, account)
);

-- A nonce of a paying account belongs to one operation, for ever.
CREATE TABLE sending (
    payer   BYTEA  NOT NULL CHECK (length(payer) = 20),
    nonce   BIGINT NOT NULL,
    digest  BYTEA  NOT NULL CHECK (length(digest) = 32),
    -- 1: deep in the chain, or given up: not looked after any more.
    settled BIGINT NOT NULL,
    PRIMARY KEY (payer, nonce)
);
CREATE INDEX sending_open ON sending (payer, nonce) WHERE settled = 0;

-- Signed transactions with one nonce, each with a higher fee than the one before. Written before it is sent, and only ever sent as
-- it stands here.
CREATE TABLE attempt (
    payer     BYTEA  NOT NULL CHECK (length(payer) = 20),
    nonce     BIGINT NOT NULL,
    number    BIGINT NOT NULL,
    tx        BYTEA  NOT NULL UNIQUE CHECK (length(tx) = 32),
    raw       BYTEA  NOT NULL,
    fee       BIGINT NOT NULL,
    tip       BIGINT NOT NULL,
    signed_at BIGINT NOT NULL,
    -- Not NULL: it uses the nonce up and does nothing, as the operation is refused with this error by now.
    fault     BYTEA,
    PRIMARY KEY (payer, nonce, number)
);
