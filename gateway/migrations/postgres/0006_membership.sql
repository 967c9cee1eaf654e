-- For whom the reader acted: zero, for themselves. Receipts before this said nothing of it.
ALTER TABLE receipt ADD COLUMN organisation BYTEA NOT NULL DEFAULT '\x0000000000000000000000000000000000000000' CHECK (length(organisation) = 20);

-- An organisation's keys, sealed to one of its members: one for each pair, the last that the organisation gave.
CREATE TABLE membership (
    organisation             BYTEA  NOT NULL CHECK (length(organisation) = 20),
    member                   BYTEA  NOT NULL CHECK (length(member) = 20),
    -- Which of their published keys it stands between.
    organisation_key_version BIGINT NOT NULL,
    member_key_version       BIGINT NOT NULL,
    -- dag-cbor (medlock_vault::membership).
    block                    BYTEA  NOT NULL CHECK (length(block) <= 4096),
    kept_at                  BIGINT NOT NULL,
    PRIMARY KEY (organisation, member)
);
