-- The chain's events and the state they lead to. See indexer/README.md for the picture.
--
-- Numbers are 64-bit. Bit sets (compartments, roles) use all 64 bits, so the top bit shows as a negative number.
-- Hashes, digests and identifiers are 32 bytes, accounts 20.
--
-- A place is where an event stands, as one number: block << 24 | log index. So `place >> 24` is its block.
--
-- State rows are valid from one event to another: from valid_from, the place of the event that made the row, to valid_to, the
-- place of the one that ended it; of a current row that is 9223372036854775807. The state at the end of block b:
-- valid_from < (b + 1) << 24 AND valid_to >= (b + 1) << 24. The state at a time: that at the end of the newest block at or
-- before it (block_time finds it). A row that ended in the block it began in was never visible at the end of a block.

-- What this database mirrors: one row.
CREATE TABLE deployment (
    id           INTEGER NOT NULL CHECK (id = 1),
    chain_id     INTEGER NOT NULL,
    genesis_hash BLOB    NOT NULL CHECK (length(genesis_hash) = 32),
    registry     BLOB    NOT NULL CHECK (length(registry) = 20),
    records      BLOB    NOT NULL CHECK (length(records) = 20),
    exceptions   BLOB    NOT NULL CHECK (length(exceptions) = 20),
    relay        BLOB    NOT NULL CHECK (length(relay) = 20),
    audit        BLOB    NOT NULL CHECK (length(audit) = 20),
    start_block  INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;

-- Genesis, every block with an event of ours, and the last block of every recent step (for walking back on a reorg).
-- The newest row is the checkpoint: everything up to and with that block is in these tables.
CREATE TABLE block (
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    parent BLOB    NOT NULL CHECK (length(parent) = 32),
    -- UNIX seconds. Two blocks may have the same.
    time   INTEGER NOT NULL,
    PRIMARY KEY (number)
) STRICT;
CREATE INDEX block_time ON block (time, number);

-- What the node was seen to say of its chain: one row, written beside the checkpoint.
CREATE TABLE chain (
    id        INTEGER NOT NULL CHECK (id = 1),
    -- The newest block that there is.
    head      INTEGER NOT NULL,
    -- The newest blocks that it calls safe and finalized; NULL where it does not tell.
    safe      INTEGER,
    finalized INTEGER,
    PRIMARY KEY (id)
) STRICT;

-- Every event of our contracts, as it was logged. Append-only but for reorgs.
CREATE TABLE event (
    place    INTEGER NOT NULL,
    tx_hash  BLOB    NOT NULL CHECK (length(tx_hash) = 32),
    contract BLOB    NOT NULL CHECK (length(contract) = 20),
    name     TEXT    NOT NULL,
    -- 1 to 4 topics of 32 bytes, joined.
    topics   BLOB    NOT NULL CHECK (length(topics) % 32 = 0),
    data     BLOB    NOT NULL,
    PRIMARY KEY (place)
) STRICT;

-- Who controls a chart.
CREATE TABLE chart (
    chart            BLOB    NOT NULL,
    controller       BLOB    NOT NULL,
    -- How often control has passed on.
    control_epoch    INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX chart_key ON chart (chart, valid_to);
CREATE INDEX chart_of_controller ON chart (controller, valid_to);
CREATE INDEX chart_to ON chart (valid_to) WHERE valid_to < 9223372036854775807;

-- Whom a chart's control is offered to.
CREATE TABLE control_offer (
    chart            BLOB    NOT NULL,
    offered_to       BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX control_offer_key ON control_offer (chart, valid_to);
CREATE INDEX control_offer_to ON control_offer (valid_to) WHERE valid_to < 9223372036854775807;

-- The chart's grant epoch: a grant of a lower epoch was ended by revokeAll.
CREATE TABLE grant_epoch (
    chart            BLOB    NOT NULL,
    epoch            INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX grant_epoch_key ON grant_epoch (chart, valid_to);
CREATE INDEX grant_epoch_to ON grant_epoch (valid_to) WHERE valid_to < 9223372036854775807;

-- The compartment directory.
CREATE TABLE directory (
    chart            BLOB    NOT NULL,
    version          INTEGER NOT NULL,
    -- sha2-256 digest of the directory block's CID.
    digest           BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX directory_key ON directory (chart, valid_to);
CREATE INDEX directory_to ON directory (valid_to) WHERE valid_to < 9223372036854775807;

-- Records. For good, so no row ever ends; what may change is in the two tables after it.
CREATE TABLE record (
    chart            BLOB    NOT NULL,
    record_id        BLOB    NOT NULL,
    compartment      INTEGER NOT NULL,
    -- Of the first version, as the columns that follow.
    author           BLOB    NOT NULL,
    codec            INTEGER NOT NULL,
    -- sha2-256 digest of the envelope's CID.
    pointer          BLOB    NOT NULL,
    -- UNIX seconds: of the record's block; of a record taken from a batch, of the batch's.
    created_at       INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX record_key ON record (chart, record_id);
CREATE INDEX record_of_chart ON record (chart);

-- Versions of records from the second on: the current row is the latest.
CREATE TABLE record_version (
    chart            BLOB    NOT NULL,
    record_id        BLOB    NOT NULL,
    version          INTEGER NOT NULL,
    author           BLOB    NOT NULL,
    codec            INTEGER NOT NULL,
    -- sha2-256 digest of the envelope's CID.
    pointer          BLOB    NOT NULL,
    -- The pointer of the version before.
    previous         BLOB    NOT NULL,
    -- UNIX seconds: of the version's block.
    created_at       INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX record_version_key ON record_version (chart, record_id, valid_to);
CREATE INDEX record_version_to ON record_version (valid_to) WHERE valid_to < 9223372036854775807;

-- Records that were entered in error or shredded (medlock_abi::terms::record_status). A record without a row is current.
CREATE TABLE record_status (
    chart            BLOB    NOT NULL,
    record_id        BLOB    NOT NULL,
    status           INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX record_status_key ON record_status (chart, record_id, valid_to);
CREATE INDEX record_status_to ON record_status (valid_to) WHERE valid_to < 9223372036854775807;

-- Merkle batches: so many leaves under one root, each a record once it is taken out. For good, so no row ever ends.
CREATE TABLE batch (
    chart            BLOB    NOT NULL,
    root             BLOB    NOT NULL,
    author           BLOB    NOT NULL,
    compartment      INTEGER NOT NULL,
    codec            INTEGER NOT NULL,
    leaves           INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX batch_key ON batch (chart, root);

-- Grants as given. In force: of the chart's grant epoch, from not_before, before expiry.
CREATE TABLE grant_ (
    chart            BLOB    NOT NULL,
    grantee          BLOB    NOT NULL,
    epoch            INTEGER NOT NULL,
    -- Bit n: compartment n.
    compartments     INTEGER NOT NULL,
    purposes         INTEGER NOT NULL,
    actions          INTEGER NOT NULL,
    -- UNIX seconds.
    not_before       INTEGER NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           INTEGER NOT NULL,
    -- The directory version at which the pair's grants began, and which of them this is.
    since            INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    -- The digest of the keyring block that came with it.
    keyring          BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX grant_key ON grant_ (chart, grantee, valid_to);
CREATE INDEX grant_of_chart ON grant_ (chart, valid_to);
CREATE INDEX grant_of_grantee ON grant_ (grantee, valid_to);
CREATE INDEX grant_to ON grant_ (valid_to) WHERE valid_to < 9223372036854775807;

-- The digest of the keyring block that took the place of the grant's own.
CREATE TABLE keyring (
    chart            BLOB    NOT NULL,
    grantee          BLOB    NOT NULL,
    digest           BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX keyring_key ON keyring (chart, grantee, valid_to);
CREATE INDEX keyring_to ON keyring (valid_to) WHERE valid_to < 9223372036854775807;

-- Rules for single records (effect: medlock_abi::terms::effect). Grantee zero: everybody but controller and delegates.
CREATE TABLE rule (
    chart             BLOB    NOT NULL,
    record_id         BLOB    NOT NULL,
    grantee           BLOB    NOT NULL,
    effect            INTEGER NOT NULL,
    purposes          INTEGER NOT NULL,
    actions           INTEGER NOT NULL,
    -- UNIX seconds; 0: none.
    expiry            INTEGER NOT NULL,
    -- The chart's when the rule was set: an allow rule does not outlive the grants that stood then.
    directory_version INTEGER NOT NULL,
    valid_from        INTEGER NOT NULL,
    valid_to          INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX rule_key ON rule (chart, record_id, grantee, valid_to);
CREATE INDEX rule_to ON rule (valid_to) WHERE valid_to < 9223372036854775807;

-- Delegates as given. In force: not expired, of the chart's control epoch, and the giver's entry (parent, with that serial)
-- in force, up to the controller (depth 1).
CREATE TABLE delegate (
    chart            BLOB    NOT NULL,
    delegate         BLOB    NOT NULL,
    parent           BLOB    NOT NULL,
    serial           INTEGER NOT NULL,
    powers           INTEGER NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           INTEGER NOT NULL,
    depth            INTEGER NOT NULL,
    parent_serial    INTEGER NOT NULL,
    control_epoch    INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX delegate_key ON delegate (chart, delegate, valid_to);
CREATE INDEX delegate_of_delegate ON delegate (delegate, valid_to);
CREATE INDEX delegate_to ON delegate (valid_to) WHERE valid_to < 9223372036854775807;

-- Whether the glass of a chart may be broken: of one control epoch, and with a serial that voids what was opened under another.
CREATE TABLE emergency_access (
    chart            BLOB    NOT NULL,
    -- 0 or 1.
    allowed          INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    control_epoch    INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX emergency_access_key ON emergency_access (chart, valid_to);
CREATE INDEX emergency_access_to ON emergency_access (valid_to) WHERE valid_to < 9223372036854775807;

-- Broken glass. Open: not ended, before `until`, and of the chart's grant epoch and access serial.
CREATE TABLE emergency (
    chart            BLOB    NOT NULL,
    party            BLOB    NOT NULL,
    -- Whose credential was used; zero: the party's own.
    organisation     BLOB    NOT NULL,
    compartments     INTEGER NOT NULL,
    reason_code      INTEGER NOT NULL,
    until            INTEGER NOT NULL,
    grant_epoch      INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX emergency_key ON emergency (chart, party, valid_to);
CREATE INDEX emergency_to ON emergency (valid_to) WHERE valid_to < 9223372036854775807;

-- Accounts that may issue credentials. A credential ends with its issuer's epoch.
CREATE TABLE issuer (
    issuer           BLOB    NOT NULL,
    number           INTEGER NOT NULL,
    epoch            INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX issuer_key ON issuer (issuer, valid_to);
CREATE INDEX issuer_to ON issuer (valid_to) WHERE valid_to < 9223372036854775807;

-- Credentials as issued, or reinstated. In force: of status ISSUED, not expired, and the issuer's epoch not ended.
CREATE TABLE credential (
    party            BLOB    NOT NULL,
    issuer           BLOB    NOT NULL,
    issuer_epoch     INTEGER NOT NULL,
    roles            INTEGER NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           INTEGER NOT NULL,
    document         BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX credential_key ON credential (party, valid_to);
CREATE INDEX credential_to ON credential (valid_to) WHERE valid_to < 9223372036854775807;

-- Whether the credential is issued, suspended or revoked (medlock_abi::terms::credential_status).
CREATE TABLE credential_status (
    party            BLOB    NOT NULL,
    status           INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX credential_status_key ON credential_status (party, valid_to);
CREATE INDEX credential_status_to ON credential_status (valid_to) WHERE valid_to < 9223372036854775807;

-- Who belongs to which organisation. In force: not expired, and the organisation's credential in force.
CREATE TABLE member (
    organisation     BLOB    NOT NULL,
    member           BLOB    NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX member_key ON member (organisation, member, valid_to);
CREATE INDEX member_of_member ON member (member, valid_to);
CREATE INDEX member_to ON member (valid_to) WHERE valid_to < 9223372036854775807;

-- Published encryption keys, with the key itself. The current row is the latest version, revoked or not.
CREATE TABLE party_key (
    party            BLOB    NOT NULL,
    version          INTEGER NOT NULL,
    suite            INTEGER NOT NULL,
    key              BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX party_key_key ON party_key (party, valid_to);
CREATE INDEX party_key_to ON party_key (valid_to) WHERE valid_to < 9223372036854775807;

-- Keys that their party has revoked: for good, so no row ever ends.
CREATE TABLE key_revocation (
    party            BLOB    NOT NULL,
    version          INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX key_revocation_key ON key_revocation (party, version);

-- What a signer's relayed operations must name; who has no row: 0. 32 bytes, big-endian.
CREATE TABLE nonce (
    signer           BLOB    NOT NULL,
    nonce            BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    valid_to         INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX nonce_key ON nonce (signer, valid_to);
CREATE INDEX nonce_to ON nonce (valid_to) WHERE valid_to < 9223372036854775807;

-- Anchors of read receipts. For good, so no row ever ends.
CREATE TABLE anchor (
    gateway          BLOB    NOT NULL,
    number           INTEGER NOT NULL,
    anchor           BLOB    NOT NULL,
    previous         BLOB    NOT NULL,
    root             BLOB    NOT NULL,
    receipts         INTEGER NOT NULL,
    valid_from       INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX anchor_key ON anchor (gateway, number);

-- Proofs that a gateway has signed two statements for one anchor. For good, so no row ever ends.
CREATE TABLE equivocation (
    gateway          BLOB    NOT NULL,
    number           INTEGER NOT NULL,
    first            BLOB    NOT NULL,
    second           BLOB    NOT NULL,
    proved_by        BLOB    NOT NULL,
    valid_from       INTEGER NOT NULL,
    PRIMARY KEY (valid_from)
) STRICT;
CREATE UNIQUE INDEX equivocation_key ON equivocation (gateway, number, first, second);
