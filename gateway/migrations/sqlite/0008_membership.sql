-- For whom the reader acted: zero, for themselves. Receipts before this said nothing of it.
ALTER TABLE receipt ADD COLUMN organisation BLOB NOT NULL DEFAULT x'0000000000000000000000000000000000000000' CHECK (length(organisation) = 20);

-- An organisation's keys, sealed to one of its members: one for each pair, the last that the organisation gave.
CREATE TABLE membership (
    organisation             BLOB    NOT NULL CHECK (length(organisation) = 20),
    member                   BLOB    NOT NULL CHECK (length(member) = 20),
    -- Which of their published keys it stands between.
    organisation_key_version INTEGER NOT NULL,
    member_key_version       INTEGER NOT NULL,
    -- dag-cbor (medlock_vault::membership).
    block                    BLOB    NOT NULL CHECK (length(block) <= 4096),
    kept_at                  INTEGER NOT NULL,
    PRIMARY KEY (organisation, member)
) STRICT;
