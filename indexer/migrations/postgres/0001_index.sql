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
--
-- The tables that grow with use are partitioned by the hash of the chart, which is part of every unique index of theirs (and
-- so would do as a distribution key).

-- What this database mirrors: one row.
CREATE TABLE deployment (
    id           BIGINT NOT NULL CHECK (id = 1),
    chain_id     BIGINT NOT NULL,
    genesis_hash BYTEA  NOT NULL CHECK (octet_length(genesis_hash) = 32),
    registry     BYTEA  NOT NULL CHECK (octet_length(registry) = 20),
    records      BYTEA  NOT NULL CHECK (octet_length(records) = 20),
    exceptions   BYTEA  NOT NULL CHECK (octet_length(exceptions) = 20),
    relay        BYTEA  NOT NULL CHECK (octet_length(relay) = 20),
    audit        BYTEA  NOT NULL CHECK (octet_length(audit) = 20),
    claims       BYTEA  NOT NULL CHECK (octet_length(claims) = 20),
    supply       BYTEA  NOT NULL CHECK (octet_length(supply) = 20),
    trials       BYTEA  NOT NULL CHECK (octet_length(trials) = 20),
    start_block  BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- Genesis, every block with an event of ours, and the last block of every recent step (for walking back on a reorg).
-- The newest row is the checkpoint: everything up to and with that block is in these tables.
CREATE TABLE block (
    number BIGINT NOT NULL,
    hash   BYTEA  NOT NULL CHECK (octet_length(hash) = 32),
    parent BYTEA  NOT NULL CHECK (octet_length(parent) = 32),
    -- UNIX seconds. Two blocks may have the same.
    time   BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX block_time ON block (time, number);

-- What the node was seen to say of its chain: one row, written beside the checkpoint.
CREATE TABLE chain (
    id        BIGINT NOT NULL CHECK (id = 1),
    -- The newest block that there is.
    head      BIGINT NOT NULL,
    -- The newest blocks that it calls safe and finalized; NULL where it does not tell.
    safe      BIGINT,
    finalized BIGINT,
    PRIMARY KEY (id)
);

-- Every event of our contracts, as it was logged. Append-only but for reorgs.
CREATE TABLE event (
    place    BIGINT NOT NULL,
    tx_hash  BYTEA  NOT NULL CHECK (octet_length(tx_hash) = 32),
    contract BYTEA  NOT NULL CHECK (octet_length(contract) = 20),
    name     TEXT   NOT NULL,
    -- 1 to 4 topics of 32 bytes, joined.
    topics   BYTEA  NOT NULL CHECK (octet_length(topics) % 32 = 0),
    data     BYTEA  NOT NULL,
    PRIMARY KEY (place)
);

-- Who controls a chart.
CREATE TABLE chart (
    chart            BYTEA  NOT NULL,
    controller       BYTEA  NOT NULL,
    -- How often control has passed on.
    control_epoch    BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX chart_key ON chart (chart, valid_to);
CREATE INDEX chart_of_controller ON chart (controller, valid_to, valid_from);
CREATE INDEX chart_to ON chart (valid_to) WHERE valid_to < 9223372036854775807;

-- Whom a chart's control is offered to.
CREATE TABLE control_offer (
    chart            BYTEA  NOT NULL,
    offered_to       BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX control_offer_key ON control_offer (chart, valid_to);
CREATE INDEX control_offer_to ON control_offer (valid_to) WHERE valid_to < 9223372036854775807;

-- The chart's grant epoch: a grant of a lower epoch was ended by revokeAll.
CREATE TABLE grant_epoch (
    chart            BYTEA  NOT NULL,
    epoch            BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX grant_epoch_key ON grant_epoch (chart, valid_to);
CREATE INDEX grant_epoch_to ON grant_epoch (valid_to) WHERE valid_to < 9223372036854775807;

-- The compartment directory.
CREATE TABLE directory (
    chart            BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    -- sha2-256 digest of the directory block's CID.
    digest           BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX directory_key ON directory (chart, valid_to);
CREATE INDEX directory_to ON directory (valid_to) WHERE valid_to < 9223372036854775807;

-- Records. For good, so no row ever ends; what may change is in the two tables after it.
CREATE TABLE record (
    chart            BYTEA  NOT NULL,
    record_id        BYTEA  NOT NULL,
    compartment      BIGINT NOT NULL,
    -- Of the first version, as the columns that follow.
    author           BYTEA  NOT NULL,
    codec            BIGINT NOT NULL,
    -- sha2-256 digest of the envelope's CID.
    pointer          BYTEA  NOT NULL,
    -- UNIX seconds: of the record's block; of a record taken from a batch, of the batch's.
    created_at       BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL
) PARTITION BY HASH (chart);
CREATE TABLE record_0 PARTITION OF record FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE record_1 PARTITION OF record FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE record_2 PARTITION OF record FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE record_3 PARTITION OF record FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE UNIQUE INDEX record_key ON record (chart, record_id);
CREATE INDEX record_of_chart ON record (chart, valid_from);
CREATE INDEX record_from ON record (valid_from);

-- Versions of records from the second on: the current row is the latest.
CREATE TABLE record_version (
    chart            BYTEA  NOT NULL,
    record_id        BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    author           BYTEA  NOT NULL,
    codec            BIGINT NOT NULL,
    -- sha2-256 digest of the envelope's CID.
    pointer          BYTEA  NOT NULL,
    -- The pointer of the version before.
    previous         BYTEA  NOT NULL,
    -- UNIX seconds: of the version's block.
    created_at       BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX record_version_key ON record_version (chart, record_id, valid_to);
CREATE INDEX record_version_to ON record_version (valid_to) WHERE valid_to < 9223372036854775807;

-- Records that were entered in error or shredded (medlock_abi::terms::record_status). A record without a row is current.
CREATE TABLE record_status (
    chart            BYTEA  NOT NULL,
    record_id        BYTEA  NOT NULL,
    status           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX record_status_key ON record_status (chart, record_id, valid_to);
CREATE INDEX record_status_to ON record_status (valid_to) WHERE valid_to < 9223372036854775807;

-- Merkle batches: so many leaves under one root, each a record once it is taken out. For good, so no row ever ends.
CREATE TABLE batch (
    chart            BYTEA  NOT NULL,
    root             BYTEA  NOT NULL,
    author           BYTEA  NOT NULL,
    compartment      BIGINT NOT NULL,
    codec            BIGINT NOT NULL,
    leaves           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX batch_key ON batch (chart, root);

-- Grants as given. In force: of the chart's grant epoch, from not_before, before expiry.
CREATE TABLE grant_ (
    chart            BYTEA  NOT NULL,
    grantee          BYTEA  NOT NULL,
    epoch            BIGINT NOT NULL,
    -- Bit n: compartment n.
    compartments     BIGINT NOT NULL,
    purposes         BIGINT NOT NULL,
    actions          BIGINT NOT NULL,
    -- UNIX seconds.
    not_before       BIGINT NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           BIGINT NOT NULL,
    -- The directory version at which the pair's grants began, and which of them this is.
    since            BIGINT NOT NULL,
    serial           BIGINT NOT NULL,
    -- The digest of the keyring block that came with it.
    keyring          BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL
) PARTITION BY HASH (chart);
CREATE TABLE grant_0 PARTITION OF grant_ FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE grant_1 PARTITION OF grant_ FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE grant_2 PARTITION OF grant_ FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE grant_3 PARTITION OF grant_ FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE UNIQUE INDEX grant_key ON grant_ (chart, grantee, valid_to);
CREATE INDEX grant_of_chart ON grant_ (chart, valid_to, valid_from);
CREATE INDEX grant_of_grantee ON grant_ (grantee, valid_to, valid_from);
CREATE INDEX grant_from ON grant_ (valid_from);
CREATE INDEX grant_to ON grant_ (valid_to) WHERE valid_to < 9223372036854775807;

-- The digest of the keyring block that took the place of the grant's own.
CREATE TABLE keyring (
    chart            BYTEA  NOT NULL,
    grantee          BYTEA  NOT NULL,
    digest           BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX keyring_key ON keyring (chart, grantee, valid_to);
CREATE INDEX keyring_to ON keyring (valid_to) WHERE valid_to < 9223372036854775807;

-- Rules for single records (effect: medlock_abi::terms::effect). Grantee zero: everybody but controller and delegates.
CREATE TABLE rule (
    chart             BYTEA  NOT NULL,
    record_id         BYTEA  NOT NULL,
    grantee           BYTEA  NOT NULL,
    effect            BIGINT NOT NULL,
    purposes          BIGINT NOT NULL,
    actions           BIGINT NOT NULL,
    -- UNIX seconds; 0: none.
    expiry            BIGINT NOT NULL,
    -- The chart's when the rule was set: an allow rule does not outlive the grants that stood then.
    directory_version BIGINT NOT NULL,
    valid_from        BIGINT NOT NULL,
    valid_to          BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX rule_key ON rule (chart, record_id, grantee, valid_to);
CREATE INDEX rule_to ON rule (valid_to) WHERE valid_to < 9223372036854775807;

-- Delegates as given. In force: not expired, of the chart's control epoch, and the giver's entry (parent, with that serial)
-- in force, up to the controller (depth 1).
CREATE TABLE delegate (
    chart            BYTEA  NOT NULL,
    delegate         BYTEA  NOT NULL,
    parent           BYTEA  NOT NULL,
    serial           BIGINT NOT NULL,
    powers           BIGINT NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           BIGINT NOT NULL,
    depth            BIGINT NOT NULL,
    parent_serial    BIGINT NOT NULL,
    control_epoch    BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX delegate_key ON delegate (chart, delegate, valid_to);
CREATE INDEX delegate_of_delegate ON delegate (delegate, valid_to, valid_from);
CREATE INDEX delegate_to ON delegate (valid_to) WHERE valid_to < 9223372036854775807;

-- Whether the glass of a chart may be broken: of one control epoch, and with a serial that voids what was opened under another.
CREATE TABLE emergency_access (
    chart            BYTEA  NOT NULL,
    -- 0 or 1.
    allowed          BIGINT NOT NULL,
    serial           BIGINT NOT NULL,
    control_epoch    BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX emergency_access_key ON emergency_access (chart, valid_to);
CREATE INDEX emergency_access_to ON emergency_access (valid_to) WHERE valid_to < 9223372036854775807;

-- Broken glass. Open: not ended, before `until`, and of the chart's grant epoch and access serial.
CREATE TABLE emergency (
    chart            BYTEA  NOT NULL,
    party            BYTEA  NOT NULL,
    -- Whose credential was used; zero: the party's own.
    organisation     BYTEA  NOT NULL,
    compartments     BIGINT NOT NULL,
    reason_code      BIGINT NOT NULL,
    until            BIGINT NOT NULL,
    grant_epoch      BIGINT NOT NULL,
    serial           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX emergency_key ON emergency (chart, party, valid_to);
CREATE INDEX emergency_to ON emergency (valid_to) WHERE valid_to < 9223372036854775807;

-- Accounts that may issue credentials. A credential ends with its issuer's epoch.
CREATE TABLE issuer (
    issuer           BYTEA  NOT NULL,
    number           BIGINT NOT NULL,
    epoch            BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX issuer_key ON issuer (issuer, valid_to);
CREATE INDEX issuer_to ON issuer (valid_to) WHERE valid_to < 9223372036854775807;

-- Credentials as issued, or reinstated. In force: of status ISSUED, not expired, and the issuer's epoch not ended.
CREATE TABLE credential (
    party            BYTEA  NOT NULL,
    issuer           BYTEA  NOT NULL,
    issuer_epoch     BIGINT NOT NULL,
    roles            BIGINT NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           BIGINT NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX credential_key ON credential (party, valid_to);
CREATE INDEX credential_to ON credential (valid_to) WHERE valid_to < 9223372036854775807;

-- Whether the credential is issued, suspended or revoked (medlock_abi::terms::credential_status).
CREATE TABLE credential_status (
    party            BYTEA  NOT NULL,
    status           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX credential_status_key ON credential_status (party, valid_to);
CREATE INDEX credential_status_to ON credential_status (valid_to) WHERE valid_to < 9223372036854775807;

-- Who belongs to which organisation. In force: not expired, and the organisation's credential in force.
CREATE TABLE member (
    organisation     BYTEA  NOT NULL,
    member           BYTEA  NOT NULL,
    -- UNIX seconds; 0: none.
    expiry           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX member_key ON member (organisation, member, valid_to);
CREATE INDEX member_of_member ON member (member, valid_to, valid_from);
CREATE INDEX member_to ON member (valid_to) WHERE valid_to < 9223372036854775807;

-- Published encryption keys, with the key itself. The current row is the latest version, revoked or not.
CREATE TABLE party_key (
    party            BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    suite            BIGINT NOT NULL,
    key              BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX party_key_key ON party_key (party, valid_to);
CREATE INDEX party_key_to ON party_key (valid_to) WHERE valid_to < 9223372036854775807;

-- Keys that their party has revoked: for good, so no row ever ends.
CREATE TABLE key_revocation (
    party            BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX key_revocation_key ON key_revocation (party, version);

-- What a signer's relayed operations must name; who has no row: 0. 32 bytes, big-endian.
CREATE TABLE nonce (
    signer           BYTEA  NOT NULL,
    nonce            BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX nonce_key ON nonce (signer, valid_to);
CREATE INDEX nonce_to ON nonce (valid_to) WHERE valid_to < 9223372036854775807;

-- Anchors of read receipts. For good, so no row ever ends.
CREATE TABLE anchor (
    gateway          BYTEA  NOT NULL,
    number           BIGINT NOT NULL,
    anchor           BYTEA  NOT NULL,
    previous         BYTEA  NOT NULL,
    root             BYTEA  NOT NULL,
    receipts         BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX anchor_key ON anchor (gateway, number);

-- Proofs that a gateway has signed two statements for one anchor. For good, so no row ever ends.
CREATE TABLE equivocation (
    gateway          BYTEA  NOT NULL,
    number           BIGINT NOT NULL,
    first            BYTEA  NOT NULL,
    second           BYTEA  NOT NULL,
    proved_by        BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX equivocation_key ON equivocation (gateway, number, first, second);

-- Claims as they were submitted. For good, so no row ever ends; what becomes of them is in claim_step.
CREATE TABLE claim (
    claim            BYTEA  NOT NULL,
    chart            BYTEA  NOT NULL,
    provider         BYTEA  NOT NULL,
    insurer          BYTEA  NOT NULL,
    -- The provider or its member.
    submitted_by     BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    -- The same for the same service of a chart, whoever bills it.
    fingerprint      BYTEA  NOT NULL,
    -- ISO 4217.
    currency         BIGINT NOT NULL,
    -- A commitment to the amount.
    billed           BYTEA  NOT NULL,
    -- The insurer's, whose token the claim is paid in.
    currency_version BIGINT NOT NULL,
    -- 1: the service is held in the registry that insurers share. 0: in the insurer's own.
    shared           BIGINT NOT NULL,
    -- The claim that held it there before; zero: none.
    previous         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX claim_key ON claim (claim);
CREATE INDEX claim_of_chart ON claim (chart, valid_from);
CREATE INDEX claim_of_provider ON claim (provider, valid_from);
CREATE INDEX claim_of_insurer ON claim (insurer, valid_from);
CREATE INDEX claim_of_service ON claim (fingerprint, valid_from);

-- The records that a claim rests on, in its order; one event has several. For good.
CREATE TABLE claim_link (
    claim            BYTEA  NOT NULL,
    -- From 0.
    number           BIGINT NOT NULL,
    record_id        BYTEA  NOT NULL,
    -- Of the version that is meant.
    pointer          BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from, number)
);
CREATE UNIQUE INDEX claim_link_key ON claim_link (claim, number);

-- Steps of claims: the current row is where a claim stands, the ended ones are how it came there. What an event does not tell is zero.
CREATE TABLE claim_step (
    claim            BYTEA  NOT NULL,
    serial           BIGINT NOT NULL,
    -- medlock_abi::terms::claim_state.
    state            BIGINT NOT NULL,
    acted_by         BYTEA  NOT NULL,
    -- What came with the step; of a payment outside of the chain the digest of its reference.
    document         BYTEA  NOT NULL,
    -- Of a decision: a commitment to what is approved.
    amount           BYTEA  NOT NULL,
    -- Of a decision or a reversal: medlock_abi::terms::claim_reason.
    reason_code      BIGINT NOT NULL,
    -- UNIX seconds, of what is due next; 0: nothing is, or, of a review, still what was due before it.
    deadline         BIGINT NOT NULL,
    -- Of a payment on chain; the value has 32 bytes, big-endian.
    token            BYTEA  NOT NULL,
    value            BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX claim_step_key ON claim_step (claim, valid_to);
CREATE INDEX claim_step_to ON claim_step (valid_to) WHERE valid_to < 9223372036854775807;

-- Whether an insurer's claims are held in the registry that insurers share. No row: they are not.
CREATE TABLE insurer_setting (
    insurer          BYTEA  NOT NULL,
    serial           BIGINT NOT NULL,
    -- 0 or 1.
    shared           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX insurer_setting_key ON insurer_setting (insurer, valid_to);
CREATE INDEX insurer_setting_to ON insurer_setting (valid_to) WHERE valid_to < 9223372036854775807;

-- Currencies in which an insurer takes claims, or does not any more: the highest version counts. Earlier ones are what standing claims are
-- paid by, so no row ever ends.
CREATE TABLE currency_setting (
    insurer          BYTEA  NOT NULL,
    currency         BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    -- 0 or 1.
    accepted         BIGINT NOT NULL,
    -- Zero: none.
    token            BYTEA  NOT NULL,
    scale            BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX currency_setting_key ON currency_setting (insurer, currency, version);

-- Batches of drugs, as their makers registered them. For good.
CREATE TABLE drug_batch (
    batch            BYTEA  NOT NULL,
    maker            BYTEA  NOT NULL,
    gtin             BIGINT NOT NULL,
    lot              BYTEA  NOT NULL,
    -- UNIX seconds.
    expiry           BIGINT NOT NULL,
    -- Merkle root of the serials.
    root             BYTEA  NOT NULL,
    packages         BIGINT NOT NULL,
    -- Where all of it stands at first.
    step             BIGINT NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX drug_batch_key ON drug_batch (batch);
CREATE INDEX drug_batch_of_maker ON drug_batch (maker, valid_from);
CREATE INDEX drug_batch_of_lot ON drug_batch (gtin, lot, valid_from);

-- Where the units of a batch begin; one event has several. A unit goes on to the next one, or to the batch's end, and stands where the one that
-- it was cut from stood, until it is offered itself. For good: units are cut, and never joined.
CREATE TABLE unit (
    batch            BYTEA  NOT NULL,
    unit             BIGINT NOT NULL,
    -- Of unit 0: itself.
    cut_from         BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from, unit)
);
CREATE UNIQUE INDEX unit_key ON unit (batch, unit);

-- Offers of units, with numbers that ascend: a unit stands at the highest `step` where that shipment was accepted, and otherwise at `held`.
CREATE TABLE unit_offer (
    batch            BYTEA  NOT NULL,
    unit             BIGINT NOT NULL,
    -- Units that come from one step share the next.
    step             BIGINT NOT NULL,
    shipment         BIGINT NOT NULL,
    -- Where it stood.
    held             BIGINT NOT NULL,
    -- The step before, in the chain of custody; 0: none.
    previous         BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX unit_offer_key ON unit_offer (batch, unit, step);
CREATE INDEX unit_offer_of_step ON unit_offer (step);
CREATE INDEX unit_offer_of_shipment ON unit_offer (shipment, valid_from);

-- Shipments: a row ends when its shipment is closed, so the current ones are open.
CREATE TABLE shipment (
    shipment         BIGINT NOT NULL,
    sender           BYTEA  NOT NULL,
    receiver         BYTEA  NOT NULL,
    -- medlock_abi::terms::shipment, as is the state below.
    kind             BIGINT NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX shipment_key ON shipment (shipment, valid_to);
CREATE INDEX shipment_of_sender ON shipment (sender, valid_to, valid_from);
CREATE INDEX shipment_of_receiver ON shipment (receiver, valid_to, valid_from);
CREATE INDEX shipment_to ON shipment (valid_to) WHERE valid_to < 9223372036854775807;

-- How they were closed. For good.
CREATE TABLE shipment_closing (
    shipment         BIGINT NOT NULL,
    state            BIGINT NOT NULL,
    closed_by        BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX shipment_closing_key ON shipment_closing (shipment);

-- Recalls, of the packages from one number on, below another. For good: none is undone.
CREATE TABLE recall (
    batch            BYTEA  NOT NULL,
    -- Of the batch's recalls, from 0.
    number           BIGINT NOT NULL,
    from_package     BIGINT NOT NULL,
    to_package       BIGINT NOT NULL,
    -- medlock_abi::terms::recall.
    class            BIGINT NOT NULL,
    reason_code      BIGINT NOT NULL,
    issued_by        BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX recall_key ON recall (batch, number);

-- Packages that were dispensed. For good.
CREATE TABLE dispensing (
    batch            BYTEA  NOT NULL,
    -- Salted.
    serial           BYTEA  NOT NULL,
    unit             BIGINT NOT NULL,
    -- Of the package in its batch.
    package          BIGINT NOT NULL,
    dispensed_by     BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX dispensing_key ON dispensing (batch, serial);
CREATE INDEX dispensing_of_serial ON dispensing (serial, valid_from);

-- Units that left the supply without being dispensed. For good.
CREATE TABLE decommissioning (
    batch            BYTEA  NOT NULL,
    unit             BIGINT NOT NULL,
    -- medlock_abi::terms::decommission.
    reason_code      BIGINT NOT NULL,
    acted_by         BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX decommissioning_key ON decommissioning (batch, unit);

-- Clinical trials, as they were registered. For good; where one stands is whether it has a row in data_lock, and in trial_closing.
CREATE TABLE trial (
    trial            BYTEA  NOT NULL,
    sponsor          BYTEA  NOT NULL,
    registration     BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX trial_key ON trial (trial);
CREATE INDEX trial_of_sponsor ON trial (sponsor, valid_from);

-- Versions of trials, from 1; the highest counts. For good: all can be read.
CREATE TABLE trial_version (
    trial            BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    protocol         BYTEA  NOT NULL,
    plan             BYTEA  NOT NULL,
    form             BYTEA  NOT NULL,
    -- medlock_abi::terms::amendment; 0: of the first.
    reason_code      BIGINT NOT NULL,
    -- 1: who has not consented to this one or a later one takes no part.
    reconsent        BIGINT NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX trial_version_key ON trial_version (trial, version);

-- Sites of trials, and whether they still are.
CREATE TABLE site (
    trial            BYTEA  NOT NULL,
    site             BYTEA  NOT NULL,
    serial           BIGINT NOT NULL,
    -- 0 or 1.
    active           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX site_key ON site (trial, site, valid_to);
CREATE INDEX site_of_account ON site (site, valid_to, valid_from);
CREATE INDEX site_to ON site (valid_to) WHERE valid_to < 9223372036854775807;

-- Consents of participants: the current row is the last. It does not end when they withdraw; see withdrawal.
CREATE TABLE consent (
    trial            BYTEA  NOT NULL,
    participant      BYTEA  NOT NULL,
    site             BYTEA  NOT NULL,
    version          BIGINT NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    valid_to         BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX consent_key ON consent (trial, participant, valid_to);
CREATE INDEX consent_of_participant ON consent (participant, valid_to, valid_from);
CREATE INDEX consent_of_site ON consent (trial, site, valid_to, valid_from);
CREATE INDEX consent_to ON consent (valid_to) WHERE valid_to < 9223372036854775807;

-- Participants that a site has enrolled. For good.
CREATE TABLE enrolment (
    trial            BYTEA  NOT NULL,
    participant      BYTEA  NOT NULL,
    site             BYTEA  NOT NULL,
    -- The participant's at this site, from 1.
    number           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX enrolment_key ON enrolment (trial, participant);
CREATE INDEX enrolment_of_site ON enrolment (trial, site, valid_from);

-- Participants that have withdrawn. For good.
CREATE TABLE withdrawal (
    trial            BYTEA  NOT NULL,
    participant      BYTEA  NOT NULL,
    site             BYTEA  NOT NULL,
    -- 0: never enrolled.
    number           BIGINT NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX withdrawal_key ON withdrawal (trial, participant);
CREATE INDEX withdrawal_of_site ON withdrawal (trial, site, valid_from);

-- Batches of trials' data. For good.
CREATE TABLE data_batch (
    trial            BYTEA  NOT NULL,
    site             BYTEA  NOT NULL,
    -- The site's own number of it, from 1.
    sequence         BIGINT NOT NULL,
    -- UNIX seconds.
    period_from      BIGINT NOT NULL,
    period_to        BIGINT NOT NULL,
    root             BYTEA  NOT NULL,
    leaves           BIGINT NOT NULL,
    -- Words of 32 bytes, joined: bit n of word w is number 256 w + n of the site.
    participants     BYTEA  NOT NULL CHECK (octet_length(participants) % 32 = 0),
    -- medlock_abi::terms::batch.
    flags            BIGINT NOT NULL,
    -- The trial's at this time.
    version          BIGINT NOT NULL,
    -- A hash over all batches of the trial up to this one.
    data             BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX data_batch_key ON data_batch (trial, site, sequence);
CREATE INDEX data_batch_of_trial ON data_batch (trial, valid_from);

-- Trials whose data are locked. For good.
CREATE TABLE data_lock (
    trial            BYTEA  NOT NULL,
    batches          BIGINT NOT NULL,
    data             BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX data_lock_key ON data_lock (trial);

-- Results of trials, from number 0; later ones correct earlier ones, which stay. For good.
CREATE TABLE trial_result (
    trial            BYTEA  NOT NULL,
    number           BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    plan             BYTEA  NOT NULL,
    data             BYTEA  NOT NULL,
    results          BYTEA  NOT NULL,
    document         BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX trial_result_key ON trial_result (trial, number);

-- Trials that are closed. For good.
CREATE TABLE trial_closing (
    trial            BYTEA  NOT NULL,
    valid_from       BIGINT NOT NULL,
    PRIMARY KEY (valid_from)
);
CREATE UNIQUE INDEX trial_closing_key ON trial_closing (trial);

-- For analysts: GRANT medlock_reader TO somebody. A database user who may not create roles goes without.
DO $$
BEGIN
    CREATE ROLE medlock_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$;
DO $$
BEGIN
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO medlock_reader;
EXCEPTION
    WHEN undefined_object OR insufficient_privilege THEN NULL;
END $$;
