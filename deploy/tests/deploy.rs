//! Deploying the built contracts to a running local chain that executes them.
mod support;

use std::path::Path;

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256},
    providers::{Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolError},
};
use medlock_abi::{records::IRecords, registry::IRegistry, terms::reason};
use medlock_deploy::{
    Artifact, Artifacts, Deployment,
    artifacts::{DEFAULT_DIR, NAMES},
    deploy,
};
use medlock_deployment::Error as Chain;
use support::chain;

fn artifacts() -> Artifacts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Artifacts::load(root.join(DEFAULT_DIR)).unwrap()
}

#[tokio::test]
async fn deploys_and_activates_contracts_that_run() {
    let (chain, provider, signer) = chain().await;
    let deployed = deploy(&provider, &signer, &artifacts()).await.unwrap();
    let deployment = deployed.deployment;
    let names: Vec<_> = deployed.steps.iter().map(|step| step.name.as_str()).collect();
    let expected: Vec<_> = ["deploy", "activate"]
        .iter()
        .flat_map(|step| NAMES.map(|name| format!("{step} {name}")))
        .collect();
    assert_eq!(names, expected);
    assert!(deployed.steps.iter().all(|step| step.gas > 21_000));
    assert_eq!(deployment.block, deployed.steps[0].block);
    deployment.check(&provider).await.unwrap();

    // The program answers, by its own code: an unknown chart, and a revert with a typed error.
    let ask = |call: Vec<u8>| {
        let request = TransactionRequest::default()
            .with_to(deployment.records)
            .with_input(call);
        let provider = provider.clone();
        async move { provider.call(request).await }
    };
    let question = IRecords::Question {
        chart: B256::repeat_byte(1),
        grantee: signer.address(),
        member: Address::ZERO,
        compartment: 0,
        recordId: B256::ZERO,
        purpose: 1,
        action: 1,
    };
    let answer = ask(IRecords::decideCall { question }.abi_encode()).await.unwrap();
    let answer = IRecords::decideCall::abi_decode_returns(&answer).unwrap();
    assert_eq!((answer.allowed, answer.reason), (false, reason::UNKNOWN_CHART));
    let open = IRecords::openChartCall {
        actor: Address::repeat_byte(2),
        chart: B256::repeat_byte(1),
        directory: B256::repeat_byte(3),
    };
    let refused = ask(open.abi_encode()).await.unwrap_err();
    let data = refused.as_error_resp().unwrap().as_revert_data().unwrap();
    assert_eq!(data[..4], IRecords::NotActor::SELECTOR);
    chain.shutdown().await;
}

#[tokio::test]
async fn a_second_deployment_has_nothing_of_the_first() {
    let (chain, provider, signer) = chain().await;
    let first = deploy(&provider, &signer, &artifacts()).await.unwrap();
    let second = deploy(&provider, &signer, &artifacts()).await.unwrap();
    assert_eq!(second.steps.len(), 2 * NAMES.len());
    assert_ne!(first.deployment.records, second.deployment.records);
    second.deployment.check(&provider).await.unwrap();

    // Contracts of two deployments: not ours.
    let ours = &first.deployment;
    let foreign = &second.deployment;
    let mixed = Deployment {
        registry: foreign.registry,
        ..ours.clone()
    };
    assert!(matches!(
        mixed.check(&provider).await,
        Err(Chain::OtherLinks { contract: "registry", found, .. }) if found == [foreign.relay]
    ));
    // Each link is looked at: any one contract of another deployment is found out.
    let swaps: [fn(&mut Deployment, &Deployment); NAMES.len()] = [
        |mixed, foreign| mixed.registry = foreign.registry,
        |mixed, foreign| mixed.records = foreign.records,
        |mixed, foreign| mixed.exceptions = foreign.exceptions,
        |mixed, foreign| mixed.relay = foreign.relay,
        |mixed, foreign| mixed.audit = foreign.audit,
        |mixed, foreign| mixed.claims = foreign.claims,
        |mixed, foreign| mixed.supply = foreign.supply,
        |mixed, foreign| mixed.trials = foreign.trials,
    ];
    for swap in swaps {
        let mut mixed = ours.clone();
        swap(&mut mixed, foreign);
        let refused = mixed.check(&provider).await;
        assert!(matches!(refused, Err(Chain::OtherLinks { .. })), "{refused:?}");
    }
    chain.shutdown().await;
}

#[tokio::test]
async fn check_refuses_another_chain_a_reset_chain_and_missing_code() {
    let (chain, provider, signer) = chain().await;
    let deployment = deploy(&provider, &signer, &artifacts()).await.unwrap().deployment;
    let other = Deployment {
        chain_id: 1,
        ..deployment.clone()
    };
    assert!(matches!(
        other.check(&provider).await,
        Err(Chain::OtherChain { expected: 1, .. })
    ));
    let other = Deployment {
        genesis_hash: B256::ZERO,
        ..deployment.clone()
    };
    assert!(matches!(other.check(&provider).await, Err(Chain::OtherGenesis { .. })));
    let other = Deployment {
        records: Address::repeat_byte(9),
        ..deployment
    };
    assert!(matches!(
        other.check(&provider).await,
        Err(Chain::MissingCode {
            contract: "records",
            ..
        })
    ));
    let url = chain.url().parse().unwrap();
    chain.shutdown().await;
    let gone = ProviderBuilder::new().connect_http(url);
    assert!(matches!(other.check(&gone).await, Err(Chain::Rpc { .. })));
}

#[tokio::test]
async fn check_refuses_code_that_was_never_activated() {
    let (chain, provider, signer) = chain().await;
    let artifacts = artifacts();
    let deployment = deploy(&provider, &signer, &artifacts).await.unwrap().deployment;
    // The same program with a custom section: another code hash, so nobody has activated it.
    let mut wasm = artifacts.registry.wasm;
    wasm.extend([0, 2, 1, b'x']);
    let artifact = Artifact::pack("registry", wasm).unwrap();
    let request = TransactionRequest::default().with_deploy_code(artifact.init_code());
    let receipt = provider
        .send_transaction(request)
        .await
        .unwrap()
        .get_receipt()
        .await
        .unwrap();
    let other = Deployment {
        registry: receipt.contract_address.unwrap(),
        ..deployment
    };
    assert!(matches!(
        other.check(&provider).await,
        Err(Chain::NotActivated {
            contract: "registry",
            ..
        })
    ));
    chain.shutdown().await;
}

#[tokio::test]
async fn the_deployer_is_the_first_owner_and_nobody_is_offered_the_registry() {
    let (chain, provider, signer) = chain().await;
    let deployment = deploy(&provider, &signer, &artifacts()).await.unwrap().deployment;
    let ask = |call: Vec<u8>| {
        let request = TransactionRequest::default()
            .with_to(deployment.registry)
            .with_input(call);
        let provider = provider.clone();
        async move { provider.call(request).await.unwrap() }
    };
    let owner = ask(IRegistry::ownerCall {}.abi_encode()).await;
    let pending = ask(IRegistry::pendingOwnerCall {}.abi_encode()).await;
    assert_eq!(IRegistry::ownerCall::abi_decode_returns(&owner), Ok(signer.address()));
    assert_eq!(
        IRegistry::pendingOwnerCall::abi_decode_returns(&pending),
        Ok(Address::ZERO)
    );
    chain.shutdown().await;
}
