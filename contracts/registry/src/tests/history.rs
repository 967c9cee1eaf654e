//! Random histories of calls, sound and unsound, by many actors: the events alone give back every storage word,
//! and every question about a time past is answered as the events up to then say.
use std::collections::BTreeMap;

use medlock_dice::Dice;

use super::*;

const PARTIES: [Address; 4] = [CLINIC, STRANGER, NURSE, Address::repeat_byte(0x07)];
const ACTORS: [Address; 7] = [
    OWNER,
    ISSUER,
    OTHER_ISSUER,
    CLINIC,
    STRANGER,
    NURSE,
    Address::repeat_byte(0x07),
];
const HISTORIES: u64 = 16;
const CALLS: usize = 100;

#[test]
fn events_alone_give_back_every_storage_word_and_every_answer_about_the_past() {
    let mut outcomes = BTreeMap::new();
    for seed in 0..HISTORIES {
        let vm = TestVM::new();
        let mut now = NOW;
        vm.set_block_timestamp(now);
        let mut registry = Registry::from(&vm);
        let mut dice = Dice(seed);
        let mut history = vec![];
        for _ in 0..CALLS {
            now += dice.below(4);
            vm.set_block_timestamp(now);
            let (name, outcome) = call(&vm, &mut registry, &mut dice, now);
            *outcomes.entry((name, outcome)).or_insert(0) += 1;
            let logs = vm.get_emitted_logs();
            assert!(outcome || logs.len() == history.len(), "a refused {name} left an event");
            for (topics, data) in &logs[history.len()..] {
                let event = alloy_sol_types::SolEventInterface::decode_raw_log(topics, data).unwrap();
                history.push((now, event));
            }
            let replay = Replay::of(&history, u64::MAX);
            for (slot, word) in replay.words() {
                assert_eq!(vm.get_storage(slot), word, "seed {seed}, {name}, slot {slot}");
            }
            // What is asked without a time is asked of now.
            same_answers(&registry, &replay, now, now);
        }
        for _ in 0..40 {
            let at = NOW - 1 + dice.below(now + 30 - NOW);
            same_answers(&registry, &Replay::of(&history, at), at, now);
        }
    }
    // The dice reach both outcomes of every call.
    for name in NAMES {
        for outcome in [false, true] {
            assert!(outcomes.contains_key(&(name, outcome)), "{name} {outcome}");
        }
    }
}

const NAMES: [&str; 11] = [
    "setIssuer",
    "issueCredential",
    "suspendCredential",
    "reinstateCredential",
    "revokeCredential",
    "setMember",
    "removeMember",
    "publishKey",
    "revokeKey",
    "transferOwnership",
    "acceptOwnership",
];

/// One random call: its name, and whether it was taken.
fn call(vm: &TestVM, registry: &mut Registry, dice: &mut Dice, now: u64) -> (&'static str, bool) {
    let party = PARTIES[dice.below(4) as usize];
    let issuer = [ISSUER, OTHER_ISSUER][dice.below(2) as usize];
    let expiry = match dice.below(4) {
        0 => now + dice.below(3),
        1 => now + dice.below(60),
        _ => 0,
    };
    let kind = dice.below(18);
    // Mostly somebody who may: the others are refused.
    vm.set_sender(match kind {
        _ if dice.one_in(4) => ACTORS[dice.below(7) as usize],
        3..9 if dice.one_in(2) => registry.owner(),
        0..9 => issuer,
        9 | 16 => registry.owner(),
        17 => registry.pending_owner(),
        _ => party,
    });
    let other = PARTIES[dice.below(2) as usize];
    let document = B256::from(U256::from(dice.number()));
    match kind {
        0..3 => {
            let roles = 1 + dice.below(15);
            let outcome = registry.issue_credential(party, roles, expiry, document);
            ("issueCredential", outcome.is_ok())
        }
        3..5 => ("suspendCredential", registry.suspend_credential(party).is_ok()),
        5..8 => ("reinstateCredential", registry.reinstate_credential(party).is_ok()),
        8 => ("revokeCredential", registry.revoke_credential(party).is_ok()),
        9 => ("setIssuer", registry.set_issuer(issuer, !dice.one_in(3)).is_ok()),
        10..14 => {
            // For themselves or, at times, through the relay; at times not what stands.
            if dice.one_in(3) {
                vm.set_sender(RELAY);
            }
            let serial = registry.member_of(party, other).3 + u32::from(dice.one_in(6));
            match kind {
                10..12 => ("setMember", registry.set_member(party, other, serial, expiry).is_ok()),
                _ => ("removeMember", registry.remove_member(party, other, serial).is_ok()),
            }
        }
        14 => {
            // For themselves or, at times, through the relay; at times not the next version.
            if dice.one_in(3) {
                vm.set_sender(RELAY);
            }
            let (suite, length) = [(suite::X25519, 32), (suite::XWING, 1216)][dice.below(2) as usize];
            let key = Bytes::from(document.repeat(length / 32));
            let version = registry.key_of(party).0 + u32::from(!dice.one_in(4));
            let outcome = registry.publish_key(party, version, suite, key);
            ("publishKey", outcome.is_ok())
        }
        15 => ("revokeKey", registry.revoke_key(dice.below(4) as u32).is_ok()),
        16 => {
            let to = if dice.one_in(8) {
                Address::ZERO
            } else {
                ACTORS[dice.below(7) as usize]
            };
            ("transferOwnership", registry.transfer_ownership(to).is_ok())
        }
        _ => ("acceptOwnership", registry.accept_ownership().is_ok()),
    }
}

/// Every view, for the time `at`, against what the events up to `at` say.
fn same_answers(registry: &Registry, replay: &Replay, at: u64, now: u64) {
    for party in PARTIES {
        let held = replay.credential(party);
        let in_force = replay.in_force(party, at);
        let facts = registry.credential_at(party, at);
        assert_eq!(
            (facts.0, facts.1, facts.2, facts.3, facts.5, facts.7),
            (
                held.issuer,
                held.roles,
                held.issued_at,
                held.expiry,
                held.document,
                in_force
            ),
            "credential of {party} at {at}"
        );
        for roles in [0, role::ORGANISATION, role::ORGANISATION | role::PROVIDER] {
            let has = in_force && held.roles & roles == roles;
            assert_eq!(registry.has_roles_at(party, roles, at), has);
            if at == now {
                assert_eq!(registry.has_roles(party, roles), has);
            }
        }
        let key = registry.key_at(party, at);
        let (version, expected) = replay
            .keys
            .get(&party)
            .and_then(|keys| keys.last().map(|k| (keys.len(), *k)))
            .unwrap_or_default();
        assert_eq!(
            (key.0 as usize, key.1, key.2, key.4),
            (version, expected.suite, expected.valid_from, expected.digest)
        );
        assert_eq!(key.5, version != 0 && expected.revoked_at == 0);
        for member in PARTIES {
            let is_member = in_force
                && held.roles & role::ORGANISATION != 0
                && replay
                    .member(party, member)
                    .is_some_and(|m| m.ended_at == 0 && (m.expiry == 0 || at < m.expiry));
            assert_eq!(registry.is_member_at(party, member, at), is_member);
            let may = is_member && held.roles & role::PROVIDER != 0;
            assert_eq!(registry.may_act_for_at(party, member, role::PROVIDER, at), may);
            if at == now {
                let held = replay.member(party, member).unwrap_or_default();
                assert_eq!(
                    registry.member_of(party, member),
                    (held.since, held.expiry, held.ended_at, held.serial)
                );
                assert_eq!(registry.is_member(party, member), is_member);
                assert_eq!(registry.may_act_for(party, member, role::PROVIDER), may);
            }
        }
    }
    if at == now {
        assert_eq!(registry.owner(), replay.owner_or_first());
        assert_eq!(registry.pending_owner(), replay.pending);
    }
    for issuer in [ISSUER, OTHER_ISSUER] {
        if at == now {
            let (number, epoch, active) = replay.issuers.get(&issuer).copied().unwrap_or_default();
            assert_eq!(registry.issuer_of(issuer), (number, epoch, active));
        }
    }
}

/// What the events up to a time say, read in order and without a look at the contract.
#[derive(Default)]
struct Replay {
    /// Zero until ownership has first passed on.
    owner: Address,
    pending: Address,
    /// Number, epoch, active.
    issuers: BTreeMap<Address, (u32, u32, bool)>,
    epochs: BTreeMap<(u32, u32), (Address, u64)>,
    /// Oldest first; the last is the present one.
    credentials: BTreeMap<Address, Vec<Held>>,
    members: BTreeMap<(Address, Address), Vec<Membership>>,
    keys: BTreeMap<Address, Vec<Published>>,
}

#[derive(Clone, Copy, Default)]
struct Held {
    issuer: Address,
    epoch: u32,
    roles: u64,
    issued_at: u64,
    expiry: u64,
    ended_at: u64,
    status: u8,
    document: B256,
}

#[derive(Clone, Copy, Default)]
struct Published {
    suite: u16,
    valid_from: u64,
    revoked_at: u64,
    digest: B256,
}

impl Replay {
    fn of(history: &[(u64, IRegistryEvents)], until: u64) -> Self {
        let mut replay = Self::default();
        for (time, event) in history.iter().filter(|(time, _)| *time <= until) {
            replay.apply(*time, event);
        }
        replay
    }

    fn apply(&mut self, now: u64, event: &IRegistryEvents) {
        use IRegistryEvents as E;
        match event {
            E::OwnershipTransferStarted(e) => {
                assert_eq!(e.owner, self.owner_or_first());
                self.pending = e.pending;
            }
            E::OwnershipTransferred(e) => {
                assert_eq!((e.previous, e.owner), (self.owner_or_first(), self.pending));
                (self.owner, self.pending) = (e.owner, Address::ZERO);
            }
            E::IssuerSet(e) => {
                self.issuers.insert(e.issuer, (e.number, e.epoch, e.active));
                let ended_at = if e.active { 0 } else { now };
                self.epochs.insert((e.number, e.epoch), (e.issuer, ended_at));
            }
            E::CredentialIssued(e) => {
                let past = self.credentials.entry(e.party).or_default();
                if let Some(held) = past.last_mut().filter(|held| held.status == status::ISSUED) {
                    (held.status, held.ended_at) = (status::REPLACED, now);
                }
                past.push(Held {
                    issuer: e.issuer,
                    epoch: e.issuerEpoch,
                    roles: e.roles,
                    issued_at: now,
                    expiry: e.expiry,
                    ended_at: 0,
                    status: status::ISSUED,
                    document: e.document,
                });
            }
            E::CredentialReinstated(e) => self.credentials.entry(e.party).or_default().push(Held {
                issuer: e.issuer,
                epoch: e.issuerEpoch,
                roles: e.roles,
                issued_at: now,
                expiry: e.expiry,
                ended_at: 0,
                status: status::ISSUED,
                document: e.document,
            }),
            E::CredentialSuspended(e) => {
                let held = self.credentials.get_mut(&e.party).unwrap().last_mut().unwrap();
                (held.status, held.ended_at) = (status::SUSPENDED, now);
            }
            E::CredentialRevoked(e) => {
                let held = self.credentials.get_mut(&e.party).unwrap().last_mut().unwrap();
                if held.ended_at == 0 {
                    held.ended_at = now;
                }
                held.status = status::REVOKED;
            }
            E::MemberSet(e) => {
                let past = self.members.entry((e.organisation, e.member)).or_default();
                let serial = past.last().map_or(0, |held| held.serial) + 1;
                if let Some(held) = past.last_mut().filter(|held| held.ended_at == 0) {
                    held.ended_at = now;
                }
                past.push(Membership {
                    since: now,
                    expiry: e.expiry,
                    ended_at: 0,
                    serial,
                });
            }
            E::MemberRemoved(e) => {
                let past = self.members.get_mut(&(e.organisation, e.member)).unwrap();
                let held = past.last_mut().unwrap();
                (held.ended_at, held.serial) = (now, held.serial + 1);
            }
            E::KeyPublished(e) => {
                let keys = self.keys.entry(e.party).or_default();
                keys.push(Published {
                    suite: e.suite,
                    valid_from: now,
                    revoked_at: 0,
                    digest: keccak256(&e.key),
                });
                assert_eq!(keys.len(), e.version as usize);
            }
            E::KeyRevoked(e) => self.keys.get_mut(&e.party).unwrap()[e.version as usize - 1].revoked_at = now,
        }
    }

    fn owner_or_first(&self) -> Address {
        if self.owner.is_zero() { OWNER } else { self.owner }
    }

    fn credential(&self, party: Address) -> Held {
        self.credentials
            .get(&party)
            .and_then(|past| past.last().copied())
            .unwrap_or_default()
    }

    fn member(&self, organisation: Address, member: Address) -> Option<Membership> {
        self.members
            .get(&(organisation, member))
            .and_then(|past| past.last().copied())
    }

    fn in_force(&self, party: Address, at: u64) -> bool {
        let held = self.credential(party);
        held.status == status::ISSUED
            && (held.expiry == 0 || at < held.expiry)
            && self
                .issuers
                .get(&held.issuer)
                .is_some_and(|(_, epoch, active)| *active && *epoch == held.epoch)
    }

    /// Storage, slot by slot, as contracts/README.md lays it out.
    fn words(&self) -> Vec<(U256, B256)> {
        let at = |key: B256, slot: U256| U256::from_be_bytes(keccak256([key.0, slot.to_be_bytes()].concat()).0);
        let number = |n: u64| B256::from(U256::from(n));
        let slot = |n: u64| U256::from(n);
        let array = |slot: U256| U256::from_be_bytes(keccak256(slot.to_be_bytes::<32>()).0);
        let mut pending = self.pending.into_word();
        pending[8..12].copy_from_slice(&(self.issuers.len() as u32).to_be_bytes());
        let mut words = vec![(slot(0), self.owner.into_word()), (slot(1), pending)];
        for (issuer, (number, epoch, _)) in &self.issuers {
            let head = IssuerHead {
                number: *number,
                epoch: *epoch,
            };
            words.push((at(issuer.into_word(), slot(2)), head.to_word()));
        }
        for ((issuer, epoch), (account, ended_at)) in &self.epochs {
            let key = u64::from(*issuer) << 32 | u64::from(*epoch);
            let word = Epoch {
                issuer: *account,
                ended_at: *ended_at,
            }
            .to_word();
            words.push((at(number(key), slot(3)), word));
        }
        for (party, entries) in &self.credentials {
            let base = at(party.into_word(), slot(4));
            let past = base + slot(2);
            words.push((past, number(entries.len() as u64 - 1)));
            for (index, held) in entries.iter().enumerate() {
                let place = if index + 1 == entries.len() {
                    base
                } else {
                    array(past) + slot(2 * index as u64)
                };
                let head = CredentialHead {
                    issuer: IssuerHead {
                        number: self.issuers[&held.issuer].0,
                        epoch: held.epoch,
                    },
                    roles: held.roles,
                    issued_at: held.issued_at,
                    expiry: held.expiry,
                    ended_at: held.ended_at,
                    status: held.status,
                };
                words.push((place, head.to_word()));
                words.push((place + slot(1), held.document));
            }
        }
        for ((organisation, member), entries) in &self.members {
            let base = at(member.into_word(), at(organisation.into_word(), slot(5)));
            let past = base + slot(1);
            words.push((past, number(entries.len() as u64 - 1)));
            for (index, held) in entries.iter().enumerate() {
                let place = if index + 1 == entries.len() {
                    base
                } else {
                    array(past) + slot(index as u64)
                };
                words.push((place, held.to_word()));
            }
        }
        for (party, keys) in &self.keys {
            let base = at(party.into_word(), slot(6));
            words.push((base, number(keys.len() as u64)));
            for (index, key) in keys.iter().enumerate() {
                let place = at(number(index as u64 + 1), base + slot(1));
                let head = KeyHead {
                    suite: key.suite,
                    valid_from: key.valid_from,
                    revoked_at: key.revoked_at,
                };
                words.push((place, head.to_word()));
                words.push((place + slot(1), key.digest));
            }
        }
        words
    }
}
