-- What gateways must not forget: whom they have let in, and every read that they have served. Several share these tables; what is
-- one gateway's names its account. The same tables as SQLite's, after its third migration.

-- The deployment that the tables belong to. One row.
CREATE TABLE deployment (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    chain_id      BIGINT NOT NULL,
    genesis_hash  BYTEA  NOT NULL CHECK (length(genesis_hash) = 32),
    records       BYTEA  NOT NULL CHECK (length(records) = 20),
    -- Authenticates the nonces of sign-in challenges, so that a challenge costs no row until it is answered.
    challenge_key BYTEA  NOT NULL CHECK (length(challenge_key) = 32)
);

-- Nonces of challenges that were answered, until the challenge expires: each opens one session.
CREATE TABLE used_nonce (
    nonce      TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_nonce_by_expiry ON used_nonce (expires_at);

-- The token itself is never stored.
CREATE TABLE session (
    token_hash BYTEA  PRIMARY KEY CHECK (length(token_hash) = 32),
    account    BYTEA  NOT NULL CHECK (length(account) = 20),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_by_account ON session (account, created_at);
-- Ended sessions are dropped at each sign-in.
CREATE INDEX session_by_expiry ON session (expires_at);

-- How many blocks the chain referred to when the gateway last looked after its block store. None before its first round.
CREATE TABLE upkeep (
    gateway  BYTEA  PRIMARY KEY CHECK (length(gateway) = 20),
    referred BIGINT NOT NULL
);

-- Append-only, hash-chained (medlock_api::receipt), a chain for each gateway: written, and on disk, before the envelope is served.
CREATE TABLE receipt (
    gateway      BYTEA  NOT NULL CHECK (length(gateway) = 20),
    sequence     BIGINT NOT NULL CHECK (sequence > 0),
    chart        BYTEA  NOT NULL CHECK (length(chart) = 32),
    record_id    BYTEA  NOT NULL CHECK (length(record_id) = 32),
    version      BIGINT NOT NULL,
    pointer      BYTEA  NOT NULL CHECK (length(pointer) = 32),
    reader       BYTEA  NOT NULL CHECK (length(reader) = 20),
    purpose      BIGINT NOT NULL,
    read_at      BIGINT NOT NULL,
    nonce        BYTEA  NOT NULL CHECK (length(nonce) = 32),
    signature    BYTEA  NOT NULL CHECK (length(signature) = 65),
    block_number BIGINT NOT NULL,
    block_hash   BYTEA  NOT NULL CHECK (length(block_hash) = 32),
    reason       BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    previous     BYTEA  NOT NULL CHECK (length(previous) = 32),
    hash         BYTEA  NOT NULL UNIQUE CHECK (length(hash) = 32),
    PRIMARY KEY (gateway, sequence),
    UNIQUE (gateway, nonce),
    -- A chain does not fork.
    UNIQUE (gateway, previous)
);
CREATE INDEX receipt_by_chart ON receipt (gateway, chart, sequence);
CREATE INDEX receipt_by_reader ON receipt (gateway, reader, chart, record_id, version, sequence);

CREATE FUNCTION receipts_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'receipts are append-only'; END $$;
CREATE TRIGGER receipt_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt
    FOR EACH STATEMENT EXECUTE FUNCTION receipts_are_append_only();
