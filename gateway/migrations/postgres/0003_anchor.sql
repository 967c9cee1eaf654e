-- What a gateway says stands in its chain of anchors (`audit`). Written before it is sent, and never another for one index: two
-- different ones would be provable against it.
CREATE TABLE anchor (
    gateway  BYTEA  NOT NULL CHECK (length(gateway) = 20),
    number   BIGINT NOT NULL CHECK (number >= 0),
    -- Of the receipts under it.
    first    BIGINT NOT NULL CHECK (first > 0),
    last     BIGINT NOT NULL CHECK (last >= first),
    previous BYTEA  NOT NULL CHECK (length(previous) = 32),
    root     BYTEA  NOT NULL CHECK (length(root) = 32),
    -- The EIP-712 struct hash.
    anchor   BYTEA  NOT NULL CHECK (length(anchor) = 32),
    PRIMARY KEY (gateway, number),
    UNIQUE (gateway, first)
);

CREATE FUNCTION anchors_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'anchors are append-only'; END $$;
CREATE TRIGGER anchor_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON anchor
    FOR EACH STATEMENT EXECUTE FUNCTION anchors_are_append_only();
