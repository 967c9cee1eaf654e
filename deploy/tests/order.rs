//! What the deployer makes of contracts that answer otherwise than ours: stand-ins in WebAssembly text, which name whom they
//! are made to name. They have no placeholders, so linking leaves them as they are.
mod support;

use std::fmt::Write;

use alloy::{primitives::Address, providers::Provider, sol_types::SolCall};
use medlock_abi::{
    audit::IAudit, claims::IClaims, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay,
    supply::ISupply, trials::ITrials,
};
use medlock_deploy::{
    Artifact, Artifacts, Deployment, Error,
    artifacts::{NAMES, created},
    deploy,
};
use medlock_deployment::Error as Chain;
use support::chain;

const SOMEBODY: Address = Address::repeat_byte(0x77);

/// A selector, and the addresses that the contract answers with.
type Answer = ([u8; 4], Vec<Address>);

fn stand_in(name: &str, answers: &[Answer]) -> Artifact {
    let mut branches = String::new();
    let mut data = String::new();
    for (index, (selector, addresses)) in answers.iter().enumerate() {
        // Below is the call; each answer has room for eight words.
        let offset = 1024 + index * 256;
        let selector = u32::from_le_bytes(*selector) as i32;
        let bytes = addresses.len() * 32;
        write!(
            branches,
            "(if (i32.eq (i32.load (i32.const 0)) (i32.const {selector}))
               (then (call $write (i32.const {offset}) (i32.const {bytes})) (return (i32.const 0))))"
        )
        .unwrap();
        let words: String = addresses
            .iter()
            .flat_map(|address| address.into_word().0)
            .fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"));
        write!(data, "(data (i32.const {offset}) \"{words}\")").unwrap();
    }
    let module = format!(
        r#"(module
             (import "vm_hooks" "read_args" (func $read (param i32)))
             (import "vm_hooks" "write_result" (func $write (param i32 i32)))
             (memory (export "memory") 1 1) {data} (data (i32.const 32768) "{name}")
             (func (export "user_entrypoint") (param $length i32) (result i32)
               (call $read (i32.const 0))
               {branches}
               (i32.const 1)))"#
    );
    Artifact::pack(name, wat::parse_str(module).unwrap()).unwrap()
}

fn stand_ins(answers: &[Vec<Answer>; NAMES.len()]) -> Artifacts {
    let [registry, records, exceptions, relay, audit, claims, supply, trials] =
        std::array::from_fn(|index| stand_in(NAMES[index], &answers[index]));
    Artifacts {
        registry,
        records,
        exceptions,
        relay,
        audit,
        claims,
        supply,
        trials,
    }
}

/// What each contract answers when all is as it should be, in the order of deployment.
fn links(at: &[Address; NAMES.len()], owner: Address) -> [Vec<Answer>; NAMES.len()] {
    let [registry, records, exceptions, relay, _, claims, supply, trials] = *at;
    [
        vec![
            (IRegistry::ownerCall::SELECTOR, vec![owner]),
            (IRegistry::relayCall::SELECTOR, vec![relay]),
        ],
        vec![(IRecords::neighboursCall::SELECTOR, vec![registry, exceptions, relay])],
        vec![(IExceptions::neighboursCall::SELECTOR, vec![records, registry, relay])],
        vec![(
            IRelay::neighboursCall::SELECTOR,
            vec![registry, records, exceptions, claims, supply, trials],
        )],
        vec![(IAudit::registryCall::SELECTOR, vec![registry])],
        vec![(IClaims::neighboursCall::SELECTOR, vec![records, registry, relay])],
        vec![(ISupply::neighboursCall::SELECTOR, vec![registry, relay])],
        vec![(ITrials::neighboursCall::SELECTOR, vec![registry, relay])],
    ]
}

/// Deploys stand-ins on a new chain; `alter` says how what they answer differs from ours.
async fn attempt(
    alter: impl FnOnce(&mut [Vec<Answer>; NAMES.len()]),
) -> (Result<Vec<String>, Error>, [Address; NAMES.len()]) {
    let (chain, provider, signer) = chain().await;
    let owner = signer.address();
    // The deployer creates all with its account's first transactions.
    let at = created(owner, 0);
    let mut answers = links(&at, owner);
    alter(&mut answers);
    let artifacts = stand_ins(&answers);
    let result = deploy(&provider, &signer, &artifacts).await;
    let result = match result {
        Ok(deployed) => {
            assert_eq!(deployed.deployment.contracts().map(|(_, address)| address), at);
            deployed.deployment.check(&provider).await.unwrap();
            refuses_each_other_address(&provider, &deployed.deployment).await;
            Ok(deployed.steps.into_iter().map(|step| step.name).collect())
        }
        Err(error) => Err(error),
    };
    chain.shutdown().await;
    (result, at)
}

/// A file that has one contract's address in another's place.
async fn refuses_each_other_address(provider: &impl Provider, deployment: &Deployment) {
    let mixed = Deployment {
        exceptions: deployment.records,
        records: deployment.exceptions,
        ..deployment.clone()
    };
    let refused = mixed.check(provider).await;
    assert!(
        matches!(
            &refused,
            Err(Chain::OtherLinks {
                contract: "records",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn all_are_created_then_all_activated() {
    let (steps, _) = attempt(|_| ()).await;
    // Activation belongs to the code: no two stand-ins share theirs.
    let expected: Vec<_> = ["deploy", "activate"]
        .iter()
        .flat_map(|step| NAMES.map(|name| format!("{step} {name}")))
        .collect();
    assert_eq!(steps.unwrap(), expected);
}

/// Every address that any of them names is read back.
#[tokio::test]
async fn each_link_that_names_somebody_else_is_refused_with_who_is_named() {
    let counts = links(&[SOMEBODY; NAMES.len()], SOMEBODY)
        .map(|answers| answers.iter().map(|(_, addresses)| addresses.len()).collect::<Vec<_>>());
    let mut seen = 0;
    for (index, name) in NAMES.into_iter().enumerate() {
        for (answer, count) in counts[index].iter().enumerate() {
            for link in 0..*count {
                let (result, at) = attempt(|answers| answers[index][answer].1[link] = SOMEBODY).await;
                let Err(Error::Chain(Chain::OtherLinks {
                    contract,
                    address,
                    expected,
                    found,
                })) = result
                else {
                    panic!("{name}, answer {answer}, link {link}: {result:?}");
                };
                assert_eq!((contract, address), (name, at[index]));
                assert_eq!(found[link], SOMEBODY, "{name}, answer {answer}");
                let differ = expected
                    .iter()
                    .zip(&found)
                    .filter(|(expected, found)| expected != found);
                assert_eq!(differ.count(), 1, "{name}, answer {answer}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 22);
}
