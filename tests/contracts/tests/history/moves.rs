//! What the actors do: mostly what they may, so that states get deep; then each argument is wrong at times, in every way.
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use medlock_abi::{
    audit::IAudit::{self, Anchor},
    exceptions::IExceptions,
    records::IRecords::{self, GrantTerms, Keyring, NewRecord},
    registry::IRegistry,
    relay::IRelay,
    terms::{
        BATCH_MOST, CODEC_DAG_CBOR, SERIAL_MOST, TIME_MOST, action, credential_status, effect, emergency, power,
        purpose, role, suite,
    },
};

use super::{FAKE_RELAY, ISSUERS, Tree, World};
use crate::{
    NOW,
    model::{leaf_of, leaf_of_one, node_of},
};

/// When every history begins.
pub const START: u64 = NOW;
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
const COMPARTMENTS: [u8; 4] = [0, 1, 2, 63];

/// Submits an operation that its actor has signed, or that somebody wants to pass for it.
macro_rules! relay {
    ($world:ident, $method:ident, $operation:ident { $actor:expr; $($field:ident: $value:expr),* $(,)? }) => {{
        let actor = $actor;
        let (nonce, deadline) = $world.nonce_and_deadline(actor);
        let operation = IRelay::$operation { signer: actor, $($field: $value,)* nonce, deadline };
        let signer = if $world.dice.one_in(20) { $world.party() } else { actor };
        let mut signature = $world.sign(signer, &operation, $world.chain.relay);
        if $world.dice.one_in(40) {
            signature = $world.dice.pick(&[&signature[..64], &[], &signature[1..]]).to_vec().into();
        }
        let submitter = $world.party();
        $world.act_as(submitter, actor, IRelay::$method { operation, signature })
    }};
}

impl World {
    /// Seconds, hours or days; or exactly to where something begins or ends, a second before it, or after.
    pub(super) fn pass_time(&mut self) {
        let now = self.model.now;
        let next = match self.dice.below(100) {
            0..45 => now,
            45..80 => now + self.dice.below(4),
            80..95 => {
                let mut edges = self.edges();
                edges.retain(|at| *at > now + 1 && *at < now + 2 * DAY_S);
                edges.sort_unstable();
                edges.truncate(8);
                match edges.as_slice() {
                    [] => now + 1,
                    edges => self.dice.pick(edges) - 1 + self.dice.below(3),
                }
            }
            95..99 => now + self.dice.below(HOUR_S),
            _ => now + self.dice.below(DAY_S / 2),
        };
        self.model.now = next;
        self.chain.bare.set_timestamp(next);
    }

    /// Where something begins or ends.
    fn edges(&self) -> Vec<u64> {
        let model = &self.model;
        let mut edges = Vec::new();
        for chart in model.records.charts.values() {
            for grant in chart.grants.values() {
                edges.push(grant.not_before);
                edges.extend(grant.expiry);
            }
        }
        for beside in model.exceptions.charts.values() {
            edges.extend(beside.rules.values().filter_map(|rule| rule.expiry));
            edges.extend(beside.delegates.values().filter_map(|entry| entry.expiry));
            for opened in beside.emergencies.values() {
                edges.extend([opened.until, opened.opened_at + emergency::AGAIN_S]);
            }
        }
        let held = model.registry.credentials.values().filter_map(|all| all.last());
        edges.extend(held.filter_map(|credential| credential.expiry));
        let members = model.registry.members.values().filter_map(|all| all.last());
        edges.extend(members.filter_map(|member| member.expiry));
        edges
    }

    pub(super) fn move_once(&mut self) {
        let number = self.tally.operations;
        if number < 40 {
            return self.found();
        }
        // Once in some histories: a pair with as many grants as fit.
        if self.seed.is_multiple_of(4) && number > 2_000 && number < 2_100 {
            return self.use_up_serials();
        }
        match self.dice.below(1_000) {
            0..45 => self.issue_credential(),
            45..60 => self.suspend_credential(),
            60..85 => self.reinstate_credential(),
            85..93 => self.revoke_credential(),
            93..103 => self.set_issuer(),
            103..110 => self.transfer_ownership(),
            110..118 => self.accept_ownership(),
            118..150 => self.set_member(),
            150..160 => self.remove_member(),
            160..180 => self.publish_key(),
            180..190 => self.revoke_key(),
            190..200 => self.open_chart(),
            200..208 => self.offer_control(),
            208..216 => self.accept_control(),
            216..245 => self.set_directory(),
            245..248 => self.set_exceptional(),
            248..350 => self.add_records(),
            350..410 => self.amend_record(),
            410..430 => self.enter_in_error(),
            430..445 => self.shred_record(),
            445..475 => self.add_batch(),
            475..505 => self.take_from_batch(),
            505..630 => self.grant(),
            630..652 => self.set_keyrings(),
            652..690 => self.revoke(),
            690..697 => self.revoke_all(),
            697..775 => self.set_rule(),
            775..850 => self.set_delegate(),
            850..867 => self.remove_delegate(),
            867..880 => self.set_emergency_access(),
            880..930 => self.break_glass(),
            930..945 => self.close_emergency(),
            945..950 => self.cancel_all(),
            950..970 => self.anchor(),
            970..982 => self.prove_equivocation(),
            _ => self.prove_deviation(),
        }
    }

    /// The first moves: issuers, credentials, charts.
    fn found(&mut self) {
        match self.tally.operations {
            0 | 1 => {
                let issuer = ISSUERS[self.tally.operations as usize];
                self.act(
                    self.model.registry.owner,
                    IRegistry::setIssuerCall { issuer, active: true },
                );
            }
            2..20 => self.issue_credential(),
            20..26 => self.set_member(),
            26..34 => self.open_chart(),
            34..37 => self.set_emergency_access(),
            _ => self.grant(),
        }
    }

    // ---- What is picked ----

    pub(super) fn party(&mut self) -> Address {
        self.dice.pick(&self.parties)
    }

    /// One of the first, who often control charts; of those between, who are often credentialed; or of the last.
    fn party_among(&mut self, from: usize, to: usize) -> Address {
        if self.dice.one_in(6) {
            return self.party();
        }
        self.dice.pick(&self.parties[from..to])
    }

    fn patient(&mut self) -> Address {
        self.party_among(0, 4)
    }

    fn relative(&mut self) -> Address {
        self.party_among(3, 8)
    }

    fn provider(&mut self) -> Address {
        self.party_among(6, 12)
    }

    fn organisation(&mut self) -> Address {
        self.party_among(6, 9)
    }

    fn party_or_zero(&mut self) -> Address {
        if self.dice.one_in(30) {
            Address::ZERO
        } else {
            self.party()
        }
    }

    /// Mostly one that is.
    pub(super) fn chart(&mut self) -> B256 {
        let open = self.model.records.charts.len();
        if open == 0 || self.dice.one_in(40) {
            return self.dice.pick(&[B256::ZERO, B256::repeat_byte(0xee)]);
        }
        let index = self.dice.below(open as u64) as usize;
        *self.model.records.charts.keys().nth(index).unwrap()
    }

    /// One of these, if there are any; one time in `n` whichever.
    fn mostly(&mut self, charts: &[B256], n: u64) -> B256 {
        if charts.is_empty() || self.dice.one_in(n) {
            return self.chart();
        }
        self.dice.pick(charts)
    }

    pub(super) fn record_id(&mut self, chart: B256) -> B256 {
        let count = self.model.records.charts.get(&chart).map_or(0, |of| of.records.len());
        if count == 0 || self.dice.one_in(25) {
            return self.dice.pick(&[B256::ZERO, B256::repeat_byte(0xe0)]);
        }
        // Often the same few, so that they gather rules and versions.
        let among = if self.dice.one_in(2) { count.min(5) } else { count };
        let index = self.dice.below(among as u64) as usize;
        *self.model.records.charts[&chart].records.keys().nth(index).unwrap()
    }

    pub(super) fn compartment(&mut self) -> u8 {
        if self.dice.one_in(40) {
            return self.dice.pick(&[64, 127, 255, 7]);
        }
        self.dice.pick(&COMPARTMENTS)
    }

    fn compartments(&mut self) -> u64 {
        match self.dice.below(10) {
            0 => u64::MAX,
            1..4 => 0b111 | 1 << 63,
            4 => self.dice.next(),
            _ => 1 << self.dice.pick(&COMPARTMENTS) | 1 << self.dice.pick(&COMPARTMENTS),
        }
    }

    fn digest(&mut self) -> B256 {
        if self.dice.one_in(70) {
            B256::ZERO
        } else {
            self.dice.word()
        }
    }

    /// Of a chart: the current one (`ahead` 0) or the next (1), or, as an error, another.
    fn directory_version(&mut self, chart: B256, ahead: u32) -> u32 {
        let version = match (self.model.records.charts.get(&chart), ahead) {
            (None, _) => 1 + ahead,
            (Some(of), 0) => of.directory_version,
            (Some(of), _) => of.next_version(),
        };
        if self.dice.one_in(35) {
            return self.dice.pick(&[version - 1, version + 1, 0, u32::MAX]);
        }
        version
    }

    /// None, or after now; sometimes not.
    fn expiry(&mut self) -> u64 {
        let now = self.model.now;
        match self.dice.below(60) {
            0 => now,
            1 => now - 1,
            2 => 1,
            3 => TIME_MOST + 1,
            4 => u64::MAX,
            5 => TIME_MOST,
            6..10 => now + 1 + self.dice.below(5),
            10..22 => now + 1 + self.dice.below(DAY_S),
            22..40 => now + 1 + self.dice.below(30 * DAY_S),
            _ => 0,
        }
    }

    fn purposes(&mut self) -> u32 {
        match self.dice.below(12) {
            0 => 0,
            1 => u32::MAX,
            2..5 => purpose::TREAT | purpose::ETREAT,
            _ => 1 << self.dice.below(7) | 1 << self.dice.below(7),
        }
    }

    fn actions(&mut self) -> u8 {
        match self.dice.below(24) {
            0 => 0,
            1 => u8::MAX,
            2 => 0x88,
            3..9 => action::READ | action::WRITE | action::SHARE,
            9..15 => action::READ | action::WRITE,
            _ => 1 << self.dice.below(3),
        }
    }

    fn controller(&mut self, chart: B256) -> Address {
        match self.model.records.charts.get(&chart) {
            Some(of) => of.controller,
            None => self.party(),
        }
    }

    /// The controller, a delegate with the power, or anybody.
    fn holder(&mut self, chart: B256, power: u8) -> Address {
        match self.dice.below(10) {
            0 => self.party(),
            1..6 => {
                let holders: Vec<Address> = self.delegates(chart, power);
                match holders.as_slice() {
                    [] => self.controller(chart),
                    holders => self.dice.pick(holders),
                }
            }
            _ => self.controller(chart),
        }
    }

    fn delegates(&self, chart: B256, power: u8) -> Vec<Address> {
        let Some(of) = self.model.records.charts.get(&chart) else {
            return Vec::new();
        };
        let is_one = |party: &Address| self.model.powers(chart, *party, of.control_epoch) & power != 0;
        self.parties.iter().copied().filter(is_one).collect()
    }

    /// Whoever is to act, or somebody who pretends to speak for them.
    fn caller(&mut self, actor: Address) -> Address {
        if actor.is_zero() || self.dice.one_in(40) {
            let party = self.party();
            return self.dice.pick(&[FAKE_RELAY, party]);
        }
        actor
    }

    /// An organisation and one who is, or was, a member of it.
    pub(super) fn membership(&mut self) -> (Address, Address) {
        let members: Vec<_> = self.model.registry.members.keys().copied().collect();
        if members.is_empty() || self.dice.one_in(8) {
            return (self.party(), self.party());
        }
        self.dice.pick(&members)
    }

    /// Who writes, and for which organisation: mostly somebody who may.
    fn writer(&mut self, chart: B256, record_id: B256, compartments: &[u8]) -> (Address, Address) {
        let compartments = compartments.iter().copied().collect();
        let is_strict = !self.dice.one_in(8);
        for _ in 0..10 {
            let (actor, organisation) = match self.dice.below(8) {
                0 => (self.controller(chart), Address::ZERO),
                1 => (self.holder(chart, power::WRITE), Address::ZERO),
                2..5 => {
                    let (organisation, member) = self.membership();
                    (member, organisation)
                }
                _ => (self.provider(), Address::ZERO),
            };
            let may = self
                .model
                .require_writer(actor, chart, organisation, record_id, &compartments);
            if may.is_ok() || !is_strict {
                return (actor, organisation);
            }
        }
        (self.controller(chart), Address::ZERO)
    }

    fn keyrings(&mut self, chart: B256, but: Address) -> Vec<Keyring> {
        if self.dice.one_in(60) {
            let keyring = Keyring {
                grantee: but,
                keyring: B256::repeat_byte(1),
            };
            return vec![keyring; BATCH_MOST + 1];
        }
        let stay: Vec<Address> = match self.model.records.charts.get(&chart) {
            Some(of) => of
                .grants
                .keys()
                .copied()
                .filter(|grantee| of.current_grant(*grantee).is_some())
                .collect(),
            None => Vec::new(),
        };
        let count = self.dice.below(4).min(stay.len() as u64);
        (0..count)
            .map(|_| {
                let grantee = self.dice.pick(&stay);
                let is_sound = grantee != but && !self.dice.one_in(30);
                Keyring {
                    grantee: if is_sound { grantee } else { self.party() },
                    keyring: self.digest(),
                }
            })
            .collect()
    }

    fn nonce_and_deadline(&mut self, signer: Address) -> (U256, U256) {
        let now = self.model.now;
        let nonce = self.model.relay.nonce(signer);
        let nonce = match self.dice.below(25) {
            0 => nonce + U256::ONE,
            1 => nonce.saturating_sub(U256::ONE),
            _ => nonce,
        };
        let deadline = match self.dice.below(25) {
            0 => U256::from(now - 1),
            1..6 => U256::from(now),
            6 => U256::MAX,
            _ => U256::from(now + 100),
        };
        (nonce, deadline)
    }

    fn is_signed(&mut self, actor: Address) -> bool {
        self.dice.one_in(6) && self.people.iter().any(|person| person.address() == actor)
    }

    // ---- registry ----

    fn issuer(&mut self) -> Address {
        if self.dice.one_in(12) {
            self.party()
        } else {
            self.dice.pick(&ISSUERS)
        }
    }

    /// Whoever may dispose of the credential, or not.
    fn overseer(&mut self, party: Address) -> Address {
        match self.dice.below(8) {
            0 => self.issuer(),
            1 | 2 => self.model.registry.owner,
            _ => match self.model.registry.credential(party) {
                Some(held) => held.issuer,
                None => self.issuer(),
            },
        }
    }

    fn issue_credential(&mut self) {
        let party = self.provider();
        let issuer = match self.model.registry.credential(party) {
            Some(held) if !self.dice.one_in(5) => held.issuer,
            _ => self.issuer(),
        };
        let party = if self.dice.one_in(50) { Address::ZERO } else { party };
        let roles = match self.dice.below(20) {
            0 => 0,
            1 => u64::MAX,
            2..6 => role::PRACTITIONER | role::PROVIDER,
            6..9 => role::GATEWAY | role::ORGANISATION,
            9..12 => role::ORGANISATION,
            12 => role::INSURER,
            _ => role::ORGANISATION | role::PROVIDER | role::GATEWAY,
        };
        let call = IRegistry::issueCredentialCall {
            party,
            roles,
            expiry: self.expiry(),
            document: self.digest(),
        };
        self.act(issuer, call);
    }

    fn held_with(&mut self, status: u8) -> Address {
        let parties = self.parties.iter().copied();
        let held: Vec<_> = parties
            .filter(|party| {
                self.model
                    .registry
                    .credential(*party)
                    .is_some_and(|held| held.status == status)
            })
            .collect();
        if held.is_empty() || self.dice.one_in(8) {
            return self.party_or_zero();
        }
        self.dice.pick(&held)
    }

    fn suspend_credential(&mut self) {
        let party = self.held_with(credential_status::ISSUED);
        let caller = self.overseer(party);
        self.act(caller, IRegistry::suspendCredentialCall { party });
    }

    fn reinstate_credential(&mut self) {
        let party = self.held_with(credential_status::SUSPENDED);
        let caller = self.overseer(party);
        self.act(caller, IRegistry::reinstateCredentialCall { party });
    }

    fn revoke_credential(&mut self) {
        let party = self.held_with(credential_status::ISSUED);
        let caller = self.overseer(party);
        self.act(caller, IRegistry::revokeCredentialCall { party });
    }

    fn set_issuer(&mut self) {
        let owner = self.model.registry.owner;
        let caller = if self.dice.one_in(6) { self.party() } else { owner };
        let issuer = if self.dice.one_in(20) {
            Address::ZERO
        } else {
            self.issuer()
        };
        let active = !self.model.registry.is_issuer(issuer) || !self.dice.one_in(4);
        self.act(caller, IRegistry::setIssuerCall { issuer, active });
    }

    fn transfer_ownership(&mut self) {
        let owner = self.model.registry.owner;
        let caller = if self.dice.one_in(6) { self.party() } else { owner };
        let pending = self.party_or_zero();
        self.act(caller, IRegistry::transferOwnershipCall { pending });
    }

    fn accept_ownership(&mut self) {
        let caller = match self.model.registry.pending {
            Some(pending) if !self.dice.one_in(5) => pending,
            _ => self.party(),
        };
        self.act(caller, IRegistry::acceptOwnershipCall {});
    }

    fn set_member(&mut self) {
        let organisation = self.organisation();
        let member = match self.dice.below(25) {
            0 => Address::ZERO,
            1 => organisation,
            _ => self.provider(),
        };
        let expiry = self.expiry();
        let serial = self.member_serial(organisation, member);
        if self.is_signed(organisation) {
            relay!(self, setMemberCall, SetMember { organisation; member: member, serial: serial, expiry: expiry });
            return;
        }
        let caller = self.caller(organisation);
        let call = IRegistry::setMemberCall {
            actor: organisation,
            member,
            serial,
            expiry,
        };
        self.act(caller, call);
    }

    /// Mostly the one that stands.
    fn member_serial(&mut self, organisation: Address, member: Address) -> u32 {
        let current = self.model.registry.member_serial(organisation, member);
        match self.dice.below(16) {
            0 => current + 1,
            1 => current.saturating_sub(1),
            _ => current,
        }
    }

    fn remove_member(&mut self) {
        let (organisation, member) = self.membership();
        let serial = self.member_serial(organisation, member);
        if self.is_signed(organisation) {
            relay!(self, removeMemberCall, RemoveMember { organisation; member: member, serial: serial });
            return;
        }
        let caller = self.caller(organisation);
        let call = IRegistry::removeMemberCall {
            actor: organisation,
            member,
            serial,
        };
        self.act(caller, call);
    }

    fn publish_key(&mut self) {
        let actor = self.party();
        let latest = self.model.registry.keys.get(&actor).map_or(0, Vec::len) as u32;
        let version = if self.dice.one_in(10) {
            self.dice.pick(&[0, latest, latest + 2])
        } else {
            latest + 1
        };
        let (suite, length) = match self.dice.below(12) {
            0 => (self.dice.pick(&[0, 3]), 32),
            1 => (suite::X25519, self.dice.pick(&[0, 31, 1216])),
            2 => (suite::XWING, 32),
            3 | 4 => (suite::XWING, suite::XWING_KEY_BYTES),
            _ => (suite::X25519, suite::X25519_KEY_BYTES),
        };
        let key: Bytes = std::iter::repeat_with(|| self.dice.next() as u8).take(length).collect();
        if self.is_signed(actor) {
            relay!(self, publishKeyCall, PublishKey { actor; version: version, suite: suite, key: key });
            return;
        }
        let caller = self.caller(actor);
        let call = IRegistry::publishKeyCall {
            actor,
            version,
            suite,
            key,
        };
        self.act(caller, call);
    }

    fn revoke_key(&mut self) {
        let party = self.party();
        let latest = self.model.registry.keys.get(&party).map_or(0, Vec::len) as u64;
        let version = self.dice.below(latest + 2) as u32;
        self.act(party, IRegistry::revokeKeyCall { version });
    }

    // ---- records ----

    fn open_chart(&mut self) {
        let actor = self.patient();
        let chart = if self.dice.one_in(15) {
            B256::ZERO
        } else {
            self.dice.pick(&self.charts)
        };
        let directory = self.digest();
        if self.is_signed(actor) {
            relay!(self, openChartCall, OpenChart { actor; chart: chart, directory: directory });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::openChartCall {
            actor,
            chart,
            directory,
        };
        self.act(caller, call);
    }

    fn offer_control(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, 0xff);
        let to = if self.dice.one_in(8) {
            Address::ZERO
        } else {
            self.patient()
        };
        let caller = self.caller(actor);
        self.act(caller, IRecords::offerControlCall { actor, chart, to });
    }

    fn accept_control(&mut self) {
        let chart = self.chart();
        let offered = self.model.records.charts.get(&chart).and_then(|of| of.offered);
        let actor = match offered {
            Some(offered) if !self.dice.one_in(8) => offered,
            _ => self.party(),
        };
        let call = IRecords::acceptControlCall {
            actor,
            chart,
            version: self.directory_version(chart, 1),
            directory: self.digest(),
            keyrings: self.keyrings(chart, actor),
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn set_directory(&mut self) {
        // Who has ended all grants mostly rotates soon.
        let charts = self.model.records.charts.iter();
        let due: Vec<_> = charts
            .filter(|(_, of)| of.rotation_due)
            .map(|(chart, _)| *chart)
            .collect();
        let chart = self.mostly(&due, 4);
        let actor = self.holder(chart, power::DIRECTORY);
        let (version, directory) = (self.directory_version(chart, 1), self.digest());
        if self.is_signed(actor) {
            relay!(self, setDirectoryCall, SetDirectory { actor; chart: chart, version: version, directory: directory });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::setDirectoryCall {
            actor,
            chart,
            version,
            directory,
        };
        self.act(caller, call);
    }

    fn set_exceptional(&mut self) {
        let (chart, caller) = (self.chart(), self.party());
        let controller = self.controller(chart);
        let caller = self.dice.pick(&[caller, controller]);
        self.act(caller, IRecords::setExceptionalCall { chart });
    }

    fn add_records(&mut self) {
        let chart = self.chart();
        let count = match self.dice.below(120) {
            0 => 0,
            1 => BATCH_MOST + 1,
            2 => BATCH_MOST,
            3..30 => 2,
            30..40 => 3,
            _ => 1,
        };
        let mut records = Vec::with_capacity(count);
        let mut compartments = Vec::new();
        let is_sound = count > 3;
        for _ in 0..count {
            let record_id = match self.dice.below(60) {
                0 if !is_sound => B256::ZERO,
                1 if !is_sound => self.record_id(chart),
                2 if !records.is_empty() && !is_sound => {
                    records.last().map(|record: &NewRecord| record.recordId).unwrap()
                }
                _ => self.dice.word(),
            };
            let record = NewRecord {
                recordId: record_id,
                compartment: if is_sound {
                    self.dice.pick(&COMPARTMENTS)
                } else {
                    self.compartment()
                },
                codec: CODEC_DAG_CBOR,
                pointer: if is_sound { self.dice.word() } else { self.digest() },
            };
            compartments.push(record.compartment);
            records.push(record);
        }
        compartments.retain(|compartment| *compartment < 64);
        let (actor, organisation) = self.writer(chart, B256::ZERO, &compartments);
        let version = self.directory_version(chart, 0);
        if self.is_signed(actor) {
            let records = records.into_iter().map(|record| IRelay::NewRecord {
                recordId: record.recordId,
                compartment: record.compartment,
                codec: record.codec,
                pointer: record.pointer,
            });
            relay!(self, addRecordsCall, AddRecords {
                actor;
                chart: chart,
                organisation: organisation,
                directoryVersion: version,
                records: records.collect(),
            });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::addRecordsCall {
            actor,
            chart,
            organisation,
            directoryVersion: version,
            records,
        };
        self.act(caller, call);
    }

    /// What is read before a record is replaced: its pointer, mostly.
    fn previous(&mut self, chart: B256, record_id: B256) -> B256 {
        match self.model.records.record(chart, record_id) {
            Some(record) if !self.dice.one_in(20) => record.pointer.unwrap_or_default(),
            _ => self.dice.word(),
        }
    }

    fn writer_of(&mut self, chart: B256, record_id: B256) -> (Address, Address) {
        match self.model.records.record(chart, record_id) {
            Some(record) => {
                let compartments = [record.compartment];
                self.writer(chart, record_id, &compartments)
            }
            None => self.writer(chart, B256::ZERO, &[]),
        }
    }

    fn amend_record(&mut self) {
        let chart = self.chart();
        let record_id = self.record_id(chart);
        let (actor, organisation) = self.writer_of(chart, record_id);
        let version = self.directory_version(chart, 0);
        let previous = self.previous(chart, record_id);
        let codec = self.dice.pick(&[CODEC_DAG_CBOR, 0, 255]);
        let pointer = self.digest();
        if self.is_signed(actor) {
            relay!(self, amendRecordCall, AmendRecord {
                actor;
                chart: chart,
                organisation: organisation,
                directoryVersion: version,
                recordId: record_id,
                previous: previous,
                codec: codec,
                pointer: pointer,
            });
            return;
        }
        let call = IRecords::amendRecordCall {
            actor,
            chart,
            organisation,
            directoryVersion: version,
            recordId: record_id,
            previous,
            codec,
            pointer,
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn enter_in_error(&mut self) {
        let chart = self.chart();
        let record_id = self.record_id(chart);
        let (actor, organisation) = self.writer_of(chart, record_id);
        let previous = self.previous(chart, record_id);
        if self.is_signed(actor) {
            relay!(self, enterInErrorCall, EnterInError {
                actor;
                chart: chart,
                organisation: organisation,
                recordId: record_id,
                previous: previous,
            });
            return;
        }
        let call = IRecords::enterInErrorCall {
            actor,
            chart,
            organisation,
            recordId: record_id,
            previous,
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn shred_record(&mut self) {
        let chart = self.chart();
        let actor = if self.dice.one_in(5) {
            self.holder(chart, 0xff)
        } else {
            self.controller(chart)
        };
        let record_id = self.record_id(chart);
        if self.is_signed(actor) {
            relay!(self, shredRecordCall, ShredRecord { actor; chart: chart, recordId: record_id });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::shredRecordCall {
            actor,
            chart,
            recordId: record_id,
        };
        self.act(caller, call);
    }

    fn add_batch(&mut self) {
        let chart = self.chart();
        let tree = self.grow();
        let (mut root, mut count) = (tree.root, tree.leaves.len() as u32);
        match self.dice.below(20) {
            0 => root = B256::ZERO,
            1 => count = 0,
            // A lie: whose leaves these are is asked of the tree that the count describes.
            2 => count = self.dice.pick(&[count + 1, count * 2, u32::MAX]),
            3 | 4 => root = self.trees.last().map_or(root, |tree| tree.root),
            _ => {}
        }
        self.trees.push(tree);
        let compartment = self.compartment();
        let within: Vec<_> = Some(compartment).filter(|one| *one < 64).into_iter().collect();
        let (actor, organisation) = self.writer(chart, B256::ZERO, &within);
        let call = IRecords::addBatchCall {
            actor,
            chart,
            organisation,
            directoryVersion: self.directory_version(chart, 0),
            compartment,
            codec: CODEC_DAG_CBOR,
            root,
            count,
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn grow(&mut self) -> Tree {
        let count = 1 + self.dice.below(9);
        let leaves: Vec<_> = (0..count).map(|_| (self.dice.word(), self.dice.word())).collect();
        let hashes: Vec<_> = leaves.iter().map(|(id, pointer)| leaf_of(*id, *pointer)).collect();
        Tree {
            root: root_of(&hashes),
            leaves,
        }
    }

    /// A leaf of a batch, or what is none: (chart, root, index, record id, pointer, proof).
    pub(super) fn leaf(&mut self) -> Option<(B256, B256, u32, B256, B256, Vec<B256>)> {
        if self.trees.is_empty() {
            return None;
        }
        let tree = &self.trees[self.dice.below(self.trees.len() as u64) as usize];
        let mut index = self.dice.below(tree.leaves.len() as u64) as usize;
        let (mut record_id, mut pointer) = tree.leaves[index];
        let root = tree.root;
        let hashes: Vec<_> = tree.leaves.iter().map(|(id, pointer)| leaf_of(*id, *pointer)).collect();
        let mut proof = path_to(index, &hashes);
        let charts = &self.model.records.charts;
        let of = charts
            .iter()
            .find(|(_, of)| of.batches.contains_key(&root))
            .map(|(id, _)| *id);
        let chart = match of {
            Some(chart) if !self.dice.one_in(20) => chart,
            _ => self.chart(),
        };
        match self.dice.below(16) {
            0 => index += 1,
            1 => drop(proof.pop()),
            2 => proof.push(root),
            3 => pointer = self.dice.pick(&[B256::ZERO, root]),
            4 => record_id = self.dice.pick(&[B256::ZERO, root]),
            5 => proof.reverse(),
            _ => {}
        }
        Some((chart, root, index as u32, record_id, pointer, proof))
    }

    fn take_from_batch(&mut self) {
        let Some((chart, root, index, record_id, pointer, proof)) = self.leaf() else {
            return;
        };
        let caller = self.party();
        let call = IRecords::takeFromBatchCall {
            chart,
            root,
            index,
            recordId: record_id,
            pointer,
            proof,
        };
        self.act(caller, call);
    }

    fn grant(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::GRANT);
        let grantee = match self.dice.below(40) {
            0 => Address::ZERO,
            1 => self.controller(chart),
            _ => self.provider(),
        };
        let now = self.model.now;
        let not_before = match self.dice.below(12) {
            0 => now + self.dice.below(100),
            1 => now + self.dice.below(DAY_S),
            2 => now,
            3 => TIME_MOST,
            _ => 0,
        };
        let expiry = match self.expiry() {
            expiry if expiry > now && not_before > now && not_before < TIME_MOST && !self.dice.one_in(4) => {
                not_before + 1 + expiry % 1_000
            }
            expiry => expiry,
        };
        let of = self.model.records.charts.get(&chart);
        let serial = of
            .and_then(|of| of.current_grant(grantee))
            .map_or(0, |grant| grant.serial);
        let serial = if self.dice.one_in(20) {
            self.dice
                .pick(&[0, serial.wrapping_sub(1), serial.wrapping_add(1), 255])
        } else {
            serial
        };
        let terms = GrantTerms {
            compartments: if self.dice.one_in(40) { 0 } else { self.compartments() },
            purposes: self.purposes(),
            actions: self.actions(),
            notBefore: not_before,
            expiry,
        };
        let (version, keyring) = (self.directory_version(chart, 0), self.digest());
        self.send_grant(actor, chart, version, grantee, serial, terms, keyring);
    }

    #[allow(clippy::too_many_arguments)]
    fn send_grant(
        &mut self,
        actor: Address,
        chart: B256,
        version: u32,
        grantee: Address,
        serial: u8,
        terms: GrantTerms,
        keyring: B256,
    ) {
        if self.is_signed(actor) {
            relay!(self, grantCall, Grant {
                actor;
                chart: chart,
                directoryVersion: version,
                grantee: grantee,
                serial: serial,
                compartments: terms.compartments,
                purposes: terms.purposes,
                actions: terms.actions,
                notBefore: terms.notBefore,
                expiry: terms.expiry,
                keyring: keyring,
            });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::grantCall {
            actor,
            chart,
            directoryVersion: version,
            grantee,
            serial,
            terms,
            keyring,
        };
        self.act(caller, call);
    }

    /// Grants to one pair until no serial is left, and once more.
    fn use_up_serials(&mut self) {
        let chart = *self.model.records.charts.keys().next().unwrap();
        let actor = self.controller(chart);
        let grantee = if actor == self.parties[11] {
            self.parties[10]
        } else {
            self.parties[11]
        };
        for _ in 0..=u32::from(SERIAL_MOST) {
            let of = &self.model.records.charts[&chart];
            let serial = of.current_grant(grantee).map_or(0, |grant| grant.serial);
            let call = IRecords::grantCall {
                actor,
                chart,
                directoryVersion: of.directory_version,
                grantee,
                serial,
                terms: GrantTerms {
                    compartments: 1,
                    purposes: purpose::TREAT,
                    actions: action::READ,
                    notBefore: 0,
                    expiry: 0,
                },
                keyring: B256::repeat_byte(1),
            };
            self.act(actor, call);
        }
    }

    fn set_keyrings(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::DIRECTORY);
        let call = IRecords::setKeyringsCall {
            actor,
            chart,
            directoryVersion: self.directory_version(chart, 0),
            keyrings: self.keyrings(chart, Address::ZERO),
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn revoke(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::REVOKE);
        let of = self.model.records.charts.get(&chart);
        let held: Vec<_> = of.map(|of| of.grants.keys().copied().collect()).unwrap_or_default();
        let grantee = match held.as_slice() {
            [] => self.party(),
            held if !self.dice.one_in(10) => self.dice.pick(held),
            _ => self.party_or_zero(),
        };
        let (version, directory) = (self.directory_version(chart, 1), self.digest());
        let keyrings = self.keyrings(chart, grantee);
        if self.is_signed(actor) {
            let keyrings = keyrings
                .into_iter()
                .map(|Keyring { grantee, keyring }| IRelay::Resealed { grantee, keyring })
                .collect();
            relay!(self, revokeCall, Revoke {
                actor;
                chart: chart,
                grantee: grantee,
                version: version,
                directory: directory,
                keyrings: keyrings,
            });
            return;
        }
        let caller = self.caller(actor);
        let call = IRecords::revokeCall {
            actor,
            chart,
            grantee,
            version,
            directory,
            keyrings,
        };
        self.act(caller, call);
    }

    fn revoke_all(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::REVOKE);
        let next = self.model.records.charts.get(&chart).map_or(1, |of| of.grant_epoch) + 1;
        let epoch = match self.dice.below(12) {
            0 => self.dice.pick(&[0, next - 1, next + 1, u32::MAX]),
            _ => next,
        };
        if self.is_signed(actor) {
            relay!(self, revokeAllCall, RevokeAll { actor; chart: chart, epoch: epoch });
            return;
        }
        let caller = self.caller(actor);
        self.act(caller, IRecords::revokeAllCall { actor, chart, epoch });
    }

    // ---- exceptions ----

    fn set_rule(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::GRANT);
        let mut record_id = self.record_id(chart);
        let grantee = match self.dice.below(12) {
            0 | 1 => Address::ZERO,
            2 => actor,
            3 | 4 => self.relative(),
            5..9 => {
                let of = self.model.records.charts.get(&chart);
                let grantees: Vec<_> = of.map(|of| of.grants.keys().copied().collect()).unwrap_or_default();
                if grantees.is_empty() {
                    actor
                } else {
                    self.dice.pick(&grantees)
                }
            }
            _ => self.provider(),
        };
        let mut call = IExceptions::setRuleCall {
            actor,
            chart,
            recordId: record_id,
            grantee,
            effect: self.dice.pick(&[effect::ALLOW, effect::ALLOW, effect::DENY]),
            purposes: self.purposes(),
            actions: self.actions(),
            expiry: self.expiry(),
        };
        match self.dice.below(12) {
            // A rule that stands is removed.
            0..4 => {
                let beside = self.model.exceptions.charts.get(&chart);
                let rules: Vec<_> = beside
                    .map(|beside| beside.rules.keys().copied().collect())
                    .unwrap_or_default();
                if !rules.is_empty() {
                    (record_id, call.grantee) = self.dice.pick(&rules);
                }
                call.recordId = record_id;
                (call.effect, call.purposes, call.actions, call.expiry) = (effect::NONE, 0, 0, 0);
            }
            4 if self.dice.one_in(4) => call.effect = self.dice.pick(&[effect::NONE, 3, 255]),
            _ => {}
        }
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn set_delegate(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::DELEGATE);
        let delegate = match self.dice.below(40) {
            0 => Address::ZERO,
            1 => actor,
            2 => self.controller(chart),
            // Somebody who has given powers to the actor.
            3..6 => self
                .model
                .exceptions
                .delegate(chart, actor)
                .map_or(actor, |entry| entry.parent),
            _ => self.relative(),
        };
        let serial = self
            .model
            .exceptions
            .delegate(chart, delegate)
            .map_or(0, |entry| entry.serial);
        let serial = if self.dice.one_in(25) {
            self.dice.pick(&[0, serial + 1, serial.saturating_sub(1)])
        } else {
            serial
        };
        let own = self.model.exceptions.delegate(chart, actor).copied();
        let is_controller = self.controller(chart) == actor;
        let own = own.filter(|_| !is_controller);
        let most = own.map_or(power::EVERY, |entry| entry.powers);
        let powers = match self.dice.below(20) {
            0 => self.dice.pick(&[0, 64, 255, power::EVERY]),
            1..12 => most & (self.dice.next() as u8 | power::DELEGATE | power::WRITE),
            _ => most,
        };
        let mut expiry = self.expiry();
        if let Some(end) = own.and_then(|entry| entry.expiry)
            && (expiry == 0 || expiry > end)
            && !self.dice.one_in(6)
        {
            expiry = end;
        }
        let version = self.directory_version(chart, 0);
        if self.is_signed(actor) {
            relay!(self, setDelegateCall, SetDelegate {
                actor;
                chart: chart,
                directoryVersion: version,
                delegate: delegate,
                serial: serial,
                powers: powers,
                expiry: expiry,
            });
            return;
        }
        let caller = self.caller(actor);
        let call = IExceptions::setDelegateCall {
            actor,
            chart,
            directoryVersion: version,
            delegate,
            serial,
            powers,
            expiry,
        };
        self.act(caller, call);
    }

    fn remove_delegate(&mut self) {
        let chart = self.chart();
        let beside = self.model.exceptions.charts.get(&chart);
        let all: Vec<_> = beside
            .map(|beside| {
                beside
                    .delegates
                    .iter()
                    .map(|(delegate, entry)| (*delegate, entry.parent))
                    .collect()
            })
            .unwrap_or_default();
        let (delegate, parent) = match all.as_slice() {
            all if !all.is_empty() && !self.dice.one_in(8) => self.dice.pick(all),
            _ => (self.party_or_zero(), self.party()),
        };
        let controller = self.controller(chart);
        let anybody = self.party();
        let actor = self.dice.pick(&[controller, parent, parent, delegate, anybody]);
        let caller = self.caller(actor);
        self.act(caller, IExceptions::removeDelegateCall { actor, chart, delegate });
    }

    fn set_emergency_access(&mut self) {
        let chart = self.chart();
        let actor = self.holder(chart, power::GRANT);
        let allowed = !self.dice.one_in(5);
        let beside = self.model.exceptions.charts.get(&chart);
        let current = beside.map_or(0, |beside| beside.access.serial);
        let serial = match self.dice.below(16) {
            0 => current + 1,
            1 => current.saturating_sub(1),
            _ => current,
        };
        if self.is_signed(actor) {
            relay!(self, setEmergencyAccessCall, SetEmergencyAccess { actor; chart: chart, serial: serial, allowed: allowed });
            return;
        }
        let caller = self.caller(actor);
        let call = IExceptions::setEmergencyAccessCall {
            actor,
            chart,
            serial,
            allowed,
        };
        self.act(caller, call);
    }

    fn break_glass(&mut self) {
        let beside = self.model.exceptions.charts.iter();
        let open: Vec<_> = beside
            .filter(|(_, beside)| beside.access.allowed)
            .map(|(chart, _)| *chart)
            .collect();
        let chart = self.mostly(&open, 5);
        let (actor, organisation) = if self.dice.one_in(3) {
            let (organisation, member) = self.membership();
            (member, organisation)
        } else {
            let all = self.parties.iter().copied();
            let current: Vec<_> = all
                .filter(|party| self.model.registry.has_roles(*party, role::PROVIDER, self.model.now))
                .collect();
            match current.as_slice() {
                all if !all.is_empty() && !self.dice.one_in(8) => (self.dice.pick(all), Address::ZERO),
                _ => (self.provider(), Address::ZERO),
            }
        };
        let compartments = if self.dice.one_in(20) { 0 } else { self.compartments() };
        let reason_code = if self.dice.one_in(20) {
            self.dice.pick(&[0, 5, u16::MAX])
        } else {
            1 + self.dice.below(4) as u16
        };
        if self.is_signed(actor) {
            relay!(self, breakGlassCall, BreakGlass {
                actor;
                chart: chart,
                organisation: organisation,
                compartments: compartments,
                reasonCode: reason_code,
            });
            return;
        }
        let call = IExceptions::breakGlassCall {
            actor,
            chart,
            organisation,
            compartments,
            reasonCode: reason_code,
        };
        let caller = self.caller(actor);
        self.act(caller, call);
    }

    fn close_emergency(&mut self) {
        let chart = self.chart();
        let beside = self.model.exceptions.charts.get(&chart);
        let all: Vec<_> = beside
            .map(|beside| beside.emergencies.keys().copied().collect())
            .unwrap_or_default();
        let party = match all.as_slice() {
            all if !all.is_empty() && !self.dice.one_in(8) => self.dice.pick(all),
            _ => self.party_or_zero(),
        };
        let actor = if self.dice.one_in(3) {
            party
        } else {
            self.holder(chart, power::REVOKE)
        };
        if self.is_signed(actor) {
            relay!(self, closeEmergencyCall, CloseEmergency { actor; chart: chart, party: party });
            return;
        }
        let caller = self.caller(actor);
        self.act(caller, IExceptions::closeEmergencyCall { actor, chart, party });
    }

    // ---- relay ----

    fn cancel_all(&mut self) {
        let signer = self.party();
        if self.dice.one_in(2) {
            self.act(signer, IRelay::cancelAllCall {});
        } else {
            relay!(self, cancelAllBySignatureCall, CancelAll { signer; });
        }
    }

    // ---- audit ----

    fn anchor(&mut self) {
        let caller = self.provider();
        let last = self.model.audit.last(caller);
        let previous = if self.dice.one_in(12) { self.dice.word() } else { last };
        // One leaf, or two: `look_at_gateway` knows them.
        let count = self.dice.pick(&[1, 2, 1, 2, 1, 2, 1, 2, 0, u32::MAX]);
        let leaf = leaf_of_one(B256::from(U256::from(count)));
        let root = match count {
            1 => leaf,
            2 => node_of(leaf, leaf_of_one(B256::ZERO)),
            _ => self.digest(),
        };
        let root = if self.dice.one_in(20) { B256::ZERO } else { root };
        self.act(caller, IAudit::anchorCall { previous, root, count });
    }

    /// About the past, the present or what is to come of a gateway; signed by it, mostly.
    fn statement(&mut self) -> (Anchor, Bytes) {
        if !self.statements.is_empty() && self.dice.one_in(3) {
            let index = self.dice.below(self.statements.len() as u64) as usize;
            return self.statements[index].clone();
        }
        let gateways: Vec<_> = self.model.audit.anchors.keys().copied().collect();
        let gateway = match gateways.as_slice() {
            all if !all.is_empty() && !self.dice.one_in(4) => self.dice.pick(all),
            _ => self.provider(),
        };
        let anchors = self.model.audit.of(gateway);
        let index = self.dice.below(anchors.len() as u64 + 1);
        let mut statement = match anchors.get(index as usize) {
            Some(anchor) => anchor.clone(),
            None => Anchor {
                gateway,
                index,
                previous: B256::ZERO,
                root: B256::repeat_byte(7),
                count: 7,
            },
        };
        if !self.dice.one_in(4) {
            match self.dice.below(3) {
                0 => statement.previous = self.dice.word(),
                1 => statement.root = self.dice.word(),
                _ => statement.count = self.dice.below(4) as u32,
            }
        }
        let signer = if self.dice.one_in(8) { self.party() } else { gateway };
        let signature = self.sign(signer, &statement, self.chain.audit);
        self.statements.push((statement.clone(), signature.clone()));
        (statement, signature)
    }

    fn prove_equivocation(&mut self) {
        let (first, first_signature) = self.statement();
        let alike = self
            .statements
            .iter()
            .rfind(|(other, _)| other.gateway == first.gateway && other.index == first.index && *other != first)
            .cloned();
        let (second, second_signature) = match alike {
            Some(other) if !self.dice.one_in(5) => other,
            _ if self.dice.one_in(2) => (first.clone(), first_signature.clone()),
            _ => self.statement(),
        };
        let caller = self.party();
        let call = IAudit::proveEquivocationCall {
            first,
            firstSignature: first_signature,
            second,
            secondSignature: second_signature,
        };
        self.act(caller, call);
    }

    fn prove_deviation(&mut self) {
        let (statement, signature) = self.statement();
        let caller = self.party();
        self.act(caller, IAudit::proveDeviationCall { statement, signature });
    }
}

/// RFC 9162, 2.1.1, by definition: split at the largest power of two below the number of leaves.
fn root_of(hashes: &[B256]) -> B256 {
    match hashes {
        [] => keccak256([]),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(half(hashes.len()));
            node_of(root_of(left), root_of(right))
        }
    }
}

/// RFC 9162, 2.1.3.1, by definition.
fn path_to(index: usize, hashes: &[B256]) -> Vec<B256> {
    if hashes.len() == 1 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(half(hashes.len()));
    let (mut path, sibling) = if index < left.len() {
        (path_to(index, left), root_of(right))
    } else {
        (path_to(index - left.len(), right), root_of(left))
    };
    path.push(sibling);
    path
}

fn half(count: usize) -> usize {
    1 << (count - 1).ilog2()
}
