//! A hundred thousand random operations, sound and unsound, on the WASM that would be deployed: after each, the contract and the
//! model agree on what was refused and exactly why, on every event and its contents, and on every answer; the events alone
//! give back every storage word; and what [`crate::invariants`] names holds.
//!
//! A history is a seed: the same seed gives the same history on every machine. To look at one, set `SEED`, and `TRACE` to have
//! each operation printed.

mod moves;
mod views;

use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, Bytes},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::SolStruct,
};
use medlock_abi::{audit::IAudit::Anchor, signed, terms::reason};
use medlock_anvil::CHAIN_ID;
use medlock_contract_tests::{Contracts, OWNER};

use crate::{
    invariants::Watch,
    model::{Act, Addresses, Contract, Event, Model, Refusal},
    replay::Replay,
    world,
};

/// Histories are separate worlds, so that their states stay rich; each takes a second or two.
const HISTORIES: u64 = 20;
const OPERATIONS: u64 = 5_000;
/// Operations between two looks at everything.
const SWEEP: u64 = 1_000;
/// Two cores are what there is.
const THREADS: u64 = 2;

/// Not the relay, though it says so.
const FAKE_RELAY: Address = Address::repeat_byte(0xfa);
const STRANGER: Address = Address::repeat_byte(0x04);
/// Whoever has a key: controllers, their families, clinics, staff, gateways; everybody is everything at times.
const PEOPLE: u8 = 12;
const ISSUERS: [Address; 2] = [Address::repeat_byte(0x15), Address::repeat_byte(0x16)];

#[test]
fn random_histories_go_as_the_model_says() {
    let only = std::env::var("SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds: Vec<u64> = only.map_or_else(|| (0..HISTORIES).collect(), |seed| vec![seed]);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let seeds: Vec<u64> = seeds.iter().copied().filter(|seed| seed % THREADS == thread).collect();
                scope.spawn(move || seeds.into_iter().map(history).collect::<Vec<_>>())
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut total = Tally::default();
    for tally in tallies {
        total.add(tally);
    }
    total.print();
    if only.is_none() {
        assert!(total.operations >= HISTORIES * OPERATIONS);
        total.assert_everything_was_reached();
    }
}

fn history(seed: u64) -> Tally {
    let mut world = World::new(seed);
    while world.tally.operations < OPERATIONS {
        world.pass_time();
        let before = world.tally.operations;
        world.move_once();
        // Some moves are many operations.
        if before / SWEEP != world.tally.operations / SWEEP {
            world.look_at_everything();
        }
    }
    world.look_at_everything();
    world.tally
}

/// One history.
pub struct World {
    pub chain: Contracts,
    pub model: Model,
    dice: Dice,
    people: Vec<PrivateKeySigner>,
    /// Whoever may be named: people, and some without a key.
    parties: Vec<Address>,
    charts: Vec<B256>,
    trees: Vec<Tree>,
    statements: Vec<(Anchor, Bytes)>,
    replay: Replay,
    watch: Watch,
    tally: Tally,
    seed: u64,
    traces: bool,
}

/// Leaves of a Merkle tree, in their order: record id, pointer.
struct Tree {
    leaves: Vec<(B256, B256)>,
    root: B256,
}

impl World {
    fn new(seed: u64) -> Self {
        let chain = world();
        let addresses = Addresses {
            registry: chain.registry,
            records: chain.records,
            exceptions: chain.exceptions,
            relay: chain.relay,
            audit: chain.audit,
            claims: chain.claims,
            supply: chain.supply,
            trials: chain.trials,
        };
        let people: Vec<_> = (1..=PEOPLE)
            .map(|key| PrivateKeySigner::from_bytes(&B256::repeat_byte(key)).unwrap())
            .collect();
        let mut parties: Vec<_> = people.iter().map(PrivateKeySigner::address).collect();
        parties.push(STRANGER);
        let mut dice = Dice(seed);
        Self {
            model: Model::new(chain.bare.timestamp(), OWNER, addresses),
            charts: (0..6).map(|_| dice.word()).collect(),
            dice,
            people,
            parties,
            trees: Vec::new(),
            statements: Vec::new(),
            replay: Replay::new(),
            watch: Watch::default(),
            tally: Tally::default(),
            chain,
            seed,
            traces: std::env::var_os("TRACE").is_some(),
        }
    }

    /// Does it on the chain and in the model, and compares all that came of it.
    fn act<C: Act>(&mut self, caller: Address, call: C) -> bool {
        self.act_as(caller, caller, call)
    }

    /// [`Self::act`]; `actor` is who is meant to have done it, where it is done.
    fn act_as<C: Act>(&mut self, caller: Address, actor: Address, call: C) -> bool {
        let now = self.model.now;
        let expected = self.model.run(caller, &call);
        let done = self.chain.send(caller, C::ON.address(&self.chain), call.clone());
        let told = |log: &alloy::primitives::Log| {
            let of = Contract::ALL
                .into_iter()
                .find(|of| of.address(&self.chain) == log.address);
            Event {
                of: of.expect("one of ours"),
                data: log.data.clone(),
            }
        };
        let actual = match &done.output {
            Ok(output) => Ok((done.logs.iter().map(told).collect::<Vec<_>>(), output.to_vec())),
            Err(revert) => Err(Refusal(revert.to_vec())),
        };
        let number = self.tally.operations;
        if self.traces {
            println!("{number} at {now}: {caller} {:?} {call:?}\n    {actual:?}", C::ON);
        }
        assert!(
            actual == expected,
            "SEED={} operation {number} at {now}: {caller} calls {:?}: {call:?}\ncontract: {actual:#?}\nmodel: {expected:#?}",
            self.seed,
            C::ON,
        );
        let outcome = match &actual {
            Ok(_) => "ok".into(),
            Err(refusal) => refusal.name(),
        };
        self.tally.count_operation(method::<C>(), outcome);
        let Ok((events, _)) = actual else {
            self.look_around();
            return false;
        };
        for event in &events {
            self.replay.read(event, now);
        }
        self.tally.events += events.len() as u64;
        self.watch.read(&self.chain, &events, actor, now);
        self.look_around();
        true
    }

    /// The EIP-712 signature of one of the people.
    fn sign(&self, signer: Address, operation: &impl SolStruct, contract: Address) -> Bytes {
        let digest = operation.eip712_signing_hash(&signed::domain(CHAIN_ID, contract));
        let person = self.people.iter().find(|person| person.address() == signer);
        let person = person.unwrap_or(&self.people[0]);
        person.sign_hash_sync(&digest).unwrap().as_bytes().to_vec().into()
    }
}

/// Such as `records.grant`.
fn method<C: Act>() -> String {
    let name = C::SIGNATURE.split('(').next().unwrap();
    format!("{:?}.{name}", C::ON)
}

/// How often each outcome of each method came up.
#[derive(Default)]
pub struct Tally {
    operations: u64,
    events: u64,
    answers: u64,
    words: u64,
    outcomes: BTreeMap<(String, String), u64>,
    reasons: BTreeMap<u8, u64>,
}

impl Tally {
    fn count_operation(&mut self, method: String, outcome: String) {
        self.operations += 1;
        *self.outcomes.entry((method, outcome)).or_default() += 1;
    }

    fn count_reason(&mut self, reason: u8) {
        *self.reasons.entry(reason).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.events += other.events;
        self.answers += other.answers;
        self.words += other.words;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
    }

    fn print(&self) {
        let done: u64 = self
            .outcomes
            .iter()
            .filter(|((_, of), _)| of == "ok")
            .map(|(_, n)| n)
            .sum();
        println!(
            "{} operations, {done} done; {} events; {} answers; {} storage words",
            self.operations, self.events, self.answers, self.words
        );
        for ((method, outcome), count) in &self.outcomes {
            println!("{count:7} {method} {outcome}");
        }
        for (reason, count) in &self.reasons {
            println!("{count:7} {}", reason::text(*reason));
        }
    }

    fn assert_everything_was_reached(&self) {
        let mut faults = Vec::new();
        for (method, outcomes) in OUTCOMES {
            for outcome in outcomes
                .split(' ')
                .chain((!NEVER_DONE.contains(method)).then_some("ok"))
            {
                if !self.outcomes.contains_key(&(method.to_string(), outcome.to_string())) {
                    faults.push(format!("never reached: {method} {outcome}"));
                }
            }
        }
        for (method, outcome) in self.outcomes.keys() {
            // What the relay passes on is checked where it comes from.
            let is_known = outcome == "ok"
                || method.starts_with("Relay.")
                || OUTCOMES
                    .iter()
                    .any(|(name, all)| name == method && all.split(' ').any(|one| one == outcome));
            if !is_known {
                faults.push(format!("not documented: {method} {outcome}"));
            }
        }
        for reason in 0..=u8::MAX {
            if reason::text(reason) != "unknown-reason" && !self.reasons.contains_key(&reason) {
                faults.push(format!("no answer was {}", reason::text(reason)));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Methods that nobody here can bring to succeed: `setExceptional` is for `exceptions` alone, whose calls are within others here
/// (they show as `MadeExceptional`).
const NEVER_DONE: [&str; 1] = ["Records.setExceptional"];

/// Every refusal that a method documents and that can be reached. Beyond reach, and so left out:
/// - `acceptControl`: `LastControlEpoch`, after 2^24 transfers of one chart.
/// - `setExceptional`: `UnknownChart`, as `exceptions` calls for charts that exist.
/// - `reinstateCredential`: `TimeTooLarge`, as no such expiry was ever issued.
const OUTCOMES: &[(&str, &str)] = &[
    ("Registry.transferOwnership", "NotOwner ZeroAddress"),
    ("Registry.acceptOwnership", "NotPendingOwner"),
    ("Registry.setIssuer", "NotOwner ZeroAddress"),
    (
        "Registry.issueCredential",
        "NotIssuer ZeroAddress NoRoles TimeTooLarge ExpiryInPast NotCredentialIssuer",
    ),
    (
        "Registry.suspendCredential",
        "NoCredential NotCredentialIssuer CredentialStatus",
    ),
    (
        "Registry.reinstateCredential",
        "NoCredential NotCredentialIssuer CredentialStatus IssuerEpochEnded ExpiryInPast",
    ),
    (
        "Registry.revokeCredential",
        "NoCredential NotCredentialIssuer CredentialStatus",
    ),
    (
        "Registry.setMember",
        "NotActor NotOrganisation ZeroAddress OwnMember TimeTooLarge ExpiryInPast MemberSerial",
    ),
    ("Registry.removeMember", "NotActor NotMember MemberSerial"),
    ("Registry.publishKey", "NotActor UnknownSuite KeyLength KeyVersion"),
    ("Registry.revokeKey", "UnknownKey KeyAlreadyRevoked"),
    ("Records.openChart", "NotActor ZeroId ZeroDigest ChartExists"),
    ("Records.offerControl", "NotActor UnknownChart NotController"),
    (
        "Records.acceptControl",
        "NotActor UnknownChart NotOffered ZeroDigest DirectoryVersion BatchSize NoGrant",
    ),
    (
        "Records.setDirectory",
        "NotActor UnknownChart NotController ZeroDigest DirectoryVersion",
    ),
    ("Records.setExceptional", "NotExceptions"),
    (
        "Records.addRecords",
        "NotActor UnknownChart RotationDue DirectoryVersion BatchSize ZeroId ZeroDigest CompartmentRange NotWriter NotCredentialed \
         RecordExists",
    ),
    (
        "Records.amendRecord",
        "NotActor UnknownChart RotationDue DirectoryVersion UnknownRecord RecordStatus StalePointer ZeroDigest NotWriter \
         NotCredentialed",
    ),
    (
        "Records.enterInError",
        "NotActor UnknownChart UnknownRecord RecordStatus StalePointer NotWriter NotCredentialed",
    ),
    (
        "Records.shredRecord",
        "NotActor UnknownChart NotController UnknownRecord RecordStatus",
    ),
    (
        "Records.addBatch",
        "NotActor UnknownChart RotationDue DirectoryVersion ZeroDigest BatchSize CompartmentRange NotWriter NotCredentialed \
         BatchExists",
    ),
    ("Records.takeFromBatch", "ZeroId ZeroDigest NotInBatch RecordExists"),
    (
        "Records.grant",
        "NotActor UnknownChart NotController RotationDue DirectoryVersion ZeroAddress GrantToController ZeroDigest EmptyGrant \
         TimeTooLarge GrantWindow GrantSerial LastSerial",
    ),
    (
        "Records.setKeyrings",
        "NotActor UnknownChart NotController RotationDue DirectoryVersion BatchSize ZeroDigest NoGrant",
    ),
    (
        "Records.revoke",
        "NotActor UnknownChart NotController NoGrant ZeroDigest DirectoryVersion BatchSize",
    ),
    ("Records.revokeAll", "NotActor UnknownChart NotController GrantEpoch"),
    (
        "Exceptions.setRule",
        "NotActor UnknownChart NotController OwnRule MalformedRule TimeTooLarge ExpiryInPast UnknownRecord",
    ),
    (
        "Exceptions.setDelegate",
        "NotActor UnknownChart NotController RotationDue DirectoryVersion ZeroAddress DelegateOfSelf TimeTooLarge ExpiryInPast \
         OutlivesParent Powers DelegateDepth DelegateSerial OtherParent",
    ),
    (
        "Exceptions.removeDelegate",
        "NotActor UnknownChart NotDelegate NotParent",
    ),
    (
        "Exceptions.setEmergencyAccess",
        "NotActor UnknownChart NotController EmergencySerial",
    ),
    (
        "Exceptions.breakGlass",
        "NotActor UnknownChart EmptyEmergency UnknownReasonCode NoEmergencyAccess NotCredentialed CoolDown",
    ),
    (
        "Exceptions.closeEmergency",
        "NotActor UnknownChart NotController NoEmergency",
    ),
    ("Relay.cancelAll", "ok"),
    (
        "Relay.cancelAllBySignature",
        "SignatureExpired SignatureCancelled BadSignature",
    ),
    (
        "Relay.openChart",
        "SignatureExpired SignatureCancelled BadSignature ChartExists",
    ),
    (
        "Relay.setDirectory",
        "SignatureExpired SignatureCancelled BadSignature NotController DirectoryVersion",
    ),
    (
        "Relay.grant",
        "SignatureExpired SignatureCancelled BadSignature RotationDue GrantSerial DirectoryVersion",
    ),
    (
        "Relay.revoke",
        "SignatureExpired SignatureCancelled BadSignature NoGrant BatchSize",
    ),
    (
        "Relay.revokeAll",
        "SignatureExpired SignatureCancelled BadSignature NotController GrantEpoch",
    ),
    (
        "Relay.addRecords",
        "SignatureExpired SignatureCancelled BadSignature BatchSize RotationDue NotWriter",
    ),
    (
        "Relay.amendRecord",
        "SignatureExpired SignatureCancelled BadSignature DirectoryVersion StalePointer",
    ),
    (
        "Relay.enterInError",
        "SignatureExpired SignatureCancelled BadSignature RecordStatus StalePointer",
    ),
    (
        "Relay.shredRecord",
        "SignatureExpired SignatureCancelled BadSignature NotController RecordStatus",
    ),
    (
        "Relay.setDelegate",
        "SignatureExpired SignatureCancelled BadSignature RotationDue DelegateSerial",
    ),
    (
        "Relay.publishKey",
        "SignatureExpired SignatureCancelled BadSignature KeyVersion",
    ),
    (
        "Relay.setEmergencyAccess",
        "SignatureExpired SignatureCancelled BadSignature",
    ),
    (
        "Relay.breakGlass",
        "SignatureExpired SignatureCancelled BadSignature DeadlineTooFar CoolDown",
    ),
    (
        "Relay.closeEmergency",
        "SignatureExpired SignatureCancelled BadSignature DeadlineTooFar NoEmergency",
    ),
    (
        "Relay.setMember",
        "SignatureExpired SignatureCancelled BadSignature NotOrganisation",
    ),
    (
        "Relay.removeMember",
        "SignatureExpired SignatureCancelled BadSignature NotMember",
    ),
    ("Audit.anchor", "ZeroRoot EmptyAnchor NotGateway PreviousAnchor"),
    ("Audit.proveEquivocation", "NotComparable SameAnchor BadSignature"),
    ("Audit.proveDeviation", "UnknownAnchor SameAnchor BadSignature"),
];

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn word(&mut self) -> B256 {
        let mut word = B256::ZERO;
        for bytes in word.chunks_exact_mut(8) {
            bytes.copy_from_slice(&self.next().to_be_bytes());
        }
        word
    }
}
