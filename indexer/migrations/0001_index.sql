-- The chain's events and the state they lead to. See indexer/README.md for the picture.
--
-- Numbers are 64-bit. Bit sets (compartments, roles) use all 64 bits, so the top bit shows as a negative number.
-- Times are UNIX seconds of blocks, except expiry and not_before, which the contracts were given.
--
-- State rows are valid in [valid_from, valid_to). valid_to is NULL while the row is current. A row that was
-- superseded in its own block has valid_from = valid_to and was never visible at the end of a block.
-- (valid_from_block, valid_from_log) names the event that made the row.

-- What this database mirrors: one row.
CREATE TABLE deployment (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    chain_id     INTEGER NOT NULL,
    genesis_hash BLOB    NOT NULL CHECK (length(genesis_hash) = 32),
    registry     BLOB    NOT NULL CHECK (length(registry) = 20),
    records      BLOB    NOT NULL CHECK (length(records) = 20),
    exceptions   BLOB    NOT NULL CHECK (length(exceptions) = 20),
    relay        BLOB    NOT NULL CHECK (length(relay) = 20),
    audit        BLOB    NOT NULL CHECK (length(audit) = 20),
    start_block  INTEGER NOT NULL
) STRICT;

-- Genesis, every block with an event of ours, and the last block of every recent step (for walking back on a reorg).
-- The newest row is the checkpoint: everything up to and with that block is in these tables.
CREATE TABLE block (
    number INTEGER NOT NULL PRIMARY KEY,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    parent BLOB    NOT NULL CHECK (length(parent) = 32),
    time   INTEGER NOT NULL
) STRICT;
CREATE INDEX block_time ON block (time, number);

-- Every event of our contracts, as it was logged. Append-only but for reorgs.
CREATE TABLE event (
    block_number INTEGER NOT NULL REFERENCES block (number),
    log_index    INTEGER NOT NULL,
    tx_hash      BLOB    NOT NULL CHECK (length(tx_hash) = 32),
    contract     BLOB    NOT NULL CHECK (length(contract) = 20),
    name         TEXT    NOT NULL,
    -- 1 to 4 topics of 32 bytes, joined.
    topics       BLOB    NOT NULL CHECK (length(topics) % 32 = 0),
    data         BLOB    NOT NULL,
    PRIMARY KEY (block_number, log_index)
) STRICT;

-- Who controls a chart.
CREATE TABLE chart (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    controller       BLOB    NOT NULL CHECK (length(controller) = 20),
    -- How often control has passed on.
    control_epoch    INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX chart_current ON chart (chart) WHERE valid_to_block IS NULL;
CREATE INDEX chart_controller ON chart (controller, valid_from_block, valid_from_log) WHERE valid_to_block IS NULL;
CREATE INDEX chart_from ON chart (valid_from_block);
CREATE INDEX chart_to ON chart (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- The chart's grant epoch: a grant of a lower epoch was ended by revokeAll.
CREATE TABLE grant_epoch (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    epoch            INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX grant_epoch_current ON grant_epoch (chart) WHERE valid_to_block IS NULL;
CREATE INDEX grant_epoch_from ON grant_epoch (valid_from_block);
CREATE INDEX grant_epoch_to ON grant_epoch (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- The compartment directory that stands on chain.
CREATE TABLE directory (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    version          INTEGER NOT NULL,
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX directory_current ON directory (chart) WHERE valid_to_block IS NULL;
CREATE INDEX directory_from ON directory (valid_from_block);
CREATE INDEX directory_to ON directory (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- What stays the same through a record's versions.
CREATE TABLE record (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id        BLOB    NOT NULL CHECK (length(record_id) = 32),
    compartment      INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, record_id, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX record_current ON record (chart, record_id) WHERE valid_to_block IS NULL;
CREATE INDEX record_added ON record (chart, valid_from_block, valid_from_log) WHERE valid_to_block IS NULL;
CREATE INDEX record_from ON record (valid_from_block);
CREATE INDEX record_to ON record (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Every version of every record. The current row is the latest version.
CREATE TABLE record_version (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id        BLOB    NOT NULL CHECK (length(record_id) = 32),
    version          INTEGER NOT NULL,
    author           BLOB    NOT NULL CHECK (length(author) = 20),
    codec            INTEGER NOT NULL,
    pointer          BLOB    NOT NULL CHECK (length(pointer) = 32),
    -- The pointer of the version before; zero for version 1.
    previous         BLOB    NOT NULL CHECK (length(previous) = 32),
    -- As the contract says: of a record taken from a batch, the batch's time.
    created_at       INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, record_id, version)
) STRICT;
CREATE UNIQUE INDEX record_version_current ON record_version (chart, record_id) WHERE valid_to_block IS NULL;
CREATE INDEX record_version_from ON record_version (valid_from_block);
CREATE INDEX record_version_to ON record_version (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Grants as the contract stores them: one per chart and grantee. ("grant" is a word of SQL.)
CREATE TABLE grant_ (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    grantee          BLOB    NOT NULL CHECK (length(grantee) = 20),
    epoch            INTEGER NOT NULL,
    compartments     INTEGER NOT NULL,
    purposes         INTEGER NOT NULL,
    actions          INTEGER NOT NULL,
    not_before       INTEGER NOT NULL,
    -- 0: none.
    expiry           INTEGER NOT NULL,
    -- The directory version at which the pair's grants began, and which of them this is.
    since            INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, grantee, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX grant_current ON grant_ (chart, grantee) WHERE valid_to_block IS NULL;
CREATE INDEX grant_given ON grant_ (chart, valid_from_block, valid_from_log) WHERE valid_to_block IS NULL;
CREATE INDEX grant_received ON grant_ (grantee, valid_from_block, valid_from_log) WHERE valid_to_block IS NULL;
CREATE INDEX grant_from ON grant_ (valid_from_block);
CREATE INDEX grant_to ON grant_ (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- The digest of the keyring block that goes with a grant.
CREATE TABLE keyring (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    grantee          BLOB    NOT NULL CHECK (length(grantee) = 20),
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, grantee, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX keyring_current ON keyring (chart, grantee) WHERE valid_to_block IS NULL;
CREATE INDEX keyring_from ON keyring (valid_from_block);
CREATE INDEX keyring_to ON keyring (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Accounts that may issue credentials. A credential ends with its issuer's epoch.
CREATE TABLE issuer (
    issuer           BLOB    NOT NULL CHECK (length(issuer) = 20),
    number           INTEGER NOT NULL,
    epoch            INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (issuer, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX issuer_current ON issuer (issuer) WHERE valid_to_block IS NULL;
CREATE INDEX issuer_from ON issuer (valid_from_block);
CREATE INDEX issuer_to ON issuer (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Credentials as issued, or reinstated. In force: of status ISSUED, not expired, and the issuer's epoch not ended.
CREATE TABLE credential (
    party            BLOB    NOT NULL CHECK (length(party) = 20),
    issuer           BLOB    NOT NULL CHECK (length(issuer) = 20),
    issuer_epoch     INTEGER NOT NULL,
    roles            INTEGER NOT NULL,
    -- 0: none.
    expiry           INTEGER NOT NULL,
    document         BLOB    NOT NULL CHECK (length(document) = 32),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (party, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX credential_current ON credential (party) WHERE valid_to_block IS NULL;
CREATE INDEX credential_from ON credential (valid_from_block);
CREATE INDEX credential_to ON credential (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Whether the credential is issued, suspended or revoked (medlock_abi::terms::credential_status).
CREATE TABLE credential_status (
    party            BLOB    NOT NULL CHECK (length(party) = 20),
    status           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (party, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX credential_status_current ON credential_status (party) WHERE valid_to_block IS NULL;
CREATE INDEX credential_status_from ON credential_status (valid_from_block);
CREATE INDEX credential_status_to ON credential_status (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Who belongs to which organisation. In force: not expired, and the organisation's credential in force.
CREATE TABLE member (
    organisation     BLOB    NOT NULL CHECK (length(organisation) = 20),
    member           BLOB    NOT NULL CHECK (length(member) = 20),
    -- 0: none.
    expiry           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (organisation, member, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX member_current ON member (organisation, member) WHERE valid_to_block IS NULL;
CREATE INDEX member_from ON member (valid_from_block);
CREATE INDEX member_to ON member (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Published encryption keys, with the key itself. The current row is the latest version, revoked or not.
CREATE TABLE party_key (
    party            BLOB    NOT NULL CHECK (length(party) = 20),
    version          INTEGER NOT NULL,
    suite            INTEGER NOT NULL,
    key              BLOB    NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (party, version)
) STRICT;
CREATE UNIQUE INDEX party_key_current ON party_key (party) WHERE valid_to_block IS NULL;
CREATE INDEX party_key_from ON party_key (valid_from_block);
CREATE INDEX party_key_to ON party_key (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Keys that their party has revoked: for good, so no row ever ends.
CREATE TABLE key_revocation (
    party            BLOB    NOT NULL CHECK (length(party) = 20),
    version          INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    PRIMARY KEY (party, version)
) STRICT;
CREATE INDEX key_revocation_from ON key_revocation (valid_from_block);

-- Whom a chart's control is offered to.
CREATE TABLE control_offer (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    offered_to       BLOB    NOT NULL CHECK (length(offered_to) = 20),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX control_offer_current ON control_offer (chart) WHERE valid_to_block IS NULL;
CREATE INDEX control_offer_from ON control_offer (valid_from_block);
CREATE INDEX control_offer_to ON control_offer (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Whether a record is current, entered in error or shredded (medlock_abi::terms::record_status).
CREATE TABLE record_status (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id        BLOB    NOT NULL CHECK (length(record_id) = 32),
    status           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, record_id, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX record_status_current ON record_status (chart, record_id) WHERE valid_to_block IS NULL;
CREATE INDEX record_status_from ON record_status (valid_from_block);
CREATE INDEX record_status_to ON record_status (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Merkle batches: so many leaves under one root, each a record once it is taken out. For good, so no row ever ends.
CREATE TABLE batch (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    root             BLOB    NOT NULL CHECK (length(root) = 32),
    author           BLOB    NOT NULL CHECK (length(author) = 20),
    compartment      INTEGER NOT NULL,
    codec            INTEGER NOT NULL,
    leaves           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    PRIMARY KEY (chart, root)
) STRICT;
CREATE INDEX batch_from ON batch (valid_from_block);

-- Rules for single records (effect: medlock_abi::terms::effect). Grantee zero: everybody but controller and delegates.
CREATE TABLE rule (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    record_id        BLOB    NOT NULL CHECK (length(record_id) = 32),
    grantee          BLOB    NOT NULL CHECK (length(grantee) = 20),
    effect           INTEGER NOT NULL,
    purposes         INTEGER NOT NULL,
    actions          INTEGER NOT NULL,
    -- 0: none.
    expiry           INTEGER NOT NULL,
    -- The chart's when the rule was set: an allow rule does not outlive the grants that stood then.
    directory_version INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, record_id, grantee, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX rule_current ON rule (chart, record_id, grantee) WHERE valid_to_block IS NULL;
CREATE INDEX rule_from ON rule (valid_from_block);
CREATE INDEX rule_to ON rule (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Delegates as given. In force: not expired, of the chart's control epoch, and the giver's entry (parent, with that serial)
-- in force, up to the controller (depth 1).
CREATE TABLE delegate (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    delegate         BLOB    NOT NULL CHECK (length(delegate) = 20),
    parent           BLOB    NOT NULL CHECK (length(parent) = 20),
    serial           INTEGER NOT NULL,
    powers           INTEGER NOT NULL,
    -- 0: none.
    expiry           INTEGER NOT NULL,
    depth            INTEGER NOT NULL,
    parent_serial    INTEGER NOT NULL,
    control_epoch    INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, delegate, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX delegate_current ON delegate (chart, delegate) WHERE valid_to_block IS NULL;
CREATE INDEX delegate_of ON delegate (delegate, valid_from_block, valid_from_log) WHERE valid_to_block IS NULL;
CREATE INDEX delegate_from ON delegate (valid_from_block);
CREATE INDEX delegate_to ON delegate (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Whether the glass of a chart may be broken: of one control epoch, and with a serial that voids what was opened under another.
CREATE TABLE emergency_access (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    allowed          INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    control_epoch    INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX emergency_access_current ON emergency_access (chart) WHERE valid_to_block IS NULL;
CREATE INDEX emergency_access_from ON emergency_access (valid_from_block);
CREATE INDEX emergency_access_to ON emergency_access (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Broken glass. Open: not ended, before `until`, and of the chart's grant epoch and access serial.
CREATE TABLE emergency (
    chart            BLOB    NOT NULL CHECK (length(chart) = 32),
    party            BLOB    NOT NULL CHECK (length(party) = 20),
    -- Whose credential was used; zero: the party's own.
    organisation     BLOB    NOT NULL CHECK (length(organisation) = 20),
    compartments     INTEGER NOT NULL,
    reason_code      INTEGER NOT NULL,
    until            INTEGER NOT NULL,
    grant_epoch      INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (chart, party, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX emergency_current ON emergency (chart, party) WHERE valid_to_block IS NULL;
CREATE INDEX emergency_from ON emergency (valid_from_block);
CREATE INDEX emergency_to ON emergency (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- What a signer's relayed operations must name; who has no row: 0. 32 bytes, big-endian.
CREATE TABLE nonce (
    signer           BLOB    NOT NULL CHECK (length(signer) = 20),
    nonce            BLOB    NOT NULL CHECK (length(nonce) = 32),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    valid_to_block   INTEGER,
    valid_to_time    INTEGER,
    PRIMARY KEY (signer, valid_from_block, valid_from_log)
) STRICT;
CREATE UNIQUE INDEX nonce_current ON nonce (signer) WHERE valid_to_block IS NULL;
CREATE INDEX nonce_from ON nonce (valid_from_block);
CREATE INDEX nonce_to ON nonce (valid_to_block) WHERE valid_to_block IS NOT NULL;

-- Anchors of read receipts. For good, so no row ever ends.
CREATE TABLE anchor (
    gateway          BLOB    NOT NULL CHECK (length(gateway) = 20),
    number           INTEGER NOT NULL,
    anchor           BLOB    NOT NULL CHECK (length(anchor) = 32),
    previous         BLOB    NOT NULL CHECK (length(previous) = 32),
    root             BLOB    NOT NULL CHECK (length(root) = 32),
    receipts         INTEGER NOT NULL,
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    PRIMARY KEY (gateway, number)
) STRICT;
CREATE INDEX anchor_from ON anchor (valid_from_block);

-- Proofs that a gateway has signed two statements for one anchor. For good, so no row ever ends.
CREATE TABLE equivocation (
    gateway          BLOB    NOT NULL CHECK (length(gateway) = 20),
    number           INTEGER NOT NULL,
    first            BLOB    NOT NULL CHECK (length(first) = 32),
    second           BLOB    NOT NULL CHECK (length(second) = 32),
    proved_by        BLOB    NOT NULL CHECK (length(proved_by) = 20),
    valid_from_block INTEGER NOT NULL,
    valid_from_log   INTEGER NOT NULL,
    valid_from_time  INTEGER NOT NULL,
    PRIMARY KEY (gateway, number, first, second)
) STRICT;
CREATE INDEX equivocation_from ON equivocation (valid_from_block);
