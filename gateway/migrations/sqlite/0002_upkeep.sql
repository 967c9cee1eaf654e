-- How many blocks the chain referred to when the block store was last looked after. One row, none before the first round.
CREATE TABLE upkeep (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    referred INTEGER NOT NULL
) STRICT;
