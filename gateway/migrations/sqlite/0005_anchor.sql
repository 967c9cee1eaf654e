-- What a gateway says stands in its chain of anchors (`audit`). Written before it is sent, and never another for one index: two
-- different ones would be provable against it.
CREATE TABLE anchor (
    gateway  BLOB    NOT NULL CHECK (length(gateway) = 20),
    number   INTEGER NOT NULL CHECK (number >= 0),
    -- Of the receipts under it.
    first    INTEGER NOT NULL CHECK (first > 0),
    last     INTEGER NOT NULL CHECK (last >= first),
    previous BLOB    NOT NULL CHECK (length(previous) = 32),
    root     BLOB    NOT NULL CHECK (length(root) = 32),
    -- The EIP-712 struct hash.
    anchor   BLOB    NOT NULL CHECK (length(anchor) = 32),
    PRIMARY KEY (gateway, number),
    UNIQUE (gateway, first)
) STRICT;

CREATE TRIGGER anchor_is_append_only_update BEFORE UPDATE ON anchor
BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;
CREATE TRIGGER anchor_is_append_only_delete BEFORE DELETE ON anchor
BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;
