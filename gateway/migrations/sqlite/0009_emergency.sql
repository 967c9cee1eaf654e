-- Emergency kits, and what custodians release of them. All of it is sealed: to the custodians, or to whoever has broken the glass.

-- The one that stands of each chart.
CREATE TABLE emergency_kit (
    chart      BLOB    PRIMARY KEY CHECK (length(chart) = 32),
    -- Who controlled the chart then: nobody else's kit counts.
    controller BLOB    NOT NULL CHECK (length(controller) = 20),
    kit        BLOB    NOT NULL CHECK (length(kit) <= 61440),
    -- Digest of its share set: shares of another are none of it.
    share_set  BLOB    NOT NULL CHECK (length(share_set) = 32)
) STRICT, WITHOUT ROWID;

-- Who holds a share of it.
CREATE TABLE emergency_custodian (
    chart     BLOB NOT NULL CHECK (length(chart) = 32),
    custodian BLOB NOT NULL CHECK (length(custodian) = 20),
    PRIMARY KEY (chart, custodian)
) STRICT, WITHOUT ROWID;

-- Shares of the kit that stands, sealed to whoever has broken the glass.
CREATE TABLE emergency_share (
    chart     BLOB    NOT NULL CHECK (length(chart) = 32),
    party     BLOB    NOT NULL CHECK (length(party) = 20),
    custodian BLOB    NOT NULL CHECK (length(custodian) = 20),
    share     BLOB    NOT NULL CHECK (length(share) <= 2048),
    -- When the emergency ends that it was released for: it goes then.
    until     INTEGER NOT NULL,
    share_set BLOB    NOT NULL CHECK (length(share_set) = 32),
    PRIMARY KEY (chart, party, custodian)
) STRICT, WITHOUT ROWID;
CREATE INDEX emergency_share_by_end ON emergency_share (until);
