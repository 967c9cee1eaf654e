//! The registry as WASM on the local chain: what each call costs, and that it stays within its bound.
use std::path::Path;

use alloy::{
    network::{EthereumWallet, TransactionBuilder},
    primitives::{Address, B256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use medlock_abi::{
    registry::IRegistry,
    terms::{credential_status as status, role, suite},
};
use medlock_deploy::{Artifacts, artifacts::DEFAULT_DIR, deploy};

struct World {
    rpc: DynProvider,
    registry: Address,
    /// Call, gas of the whole transaction, bound.
    costs: Vec<(&'static str, u64, u64)>,
    _chain: medlock_anvil::Handle,
}

impl World {
    async fn start() -> (Self, [Address; 4]) {
        let chain = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
        let signers: Vec<_> = chain.accounts().iter().map(|account| account.signer.clone()).collect();
        let mut wallet = EthereumWallet::from(signers[0].clone());
        for signer in &signers[1..4] {
            wallet.register_signer(signer.clone());
        }
        let accounts = std::array::from_fn(|i| signers[i].address());
        let rpc = ProviderBuilder::new()
            .wallet(wallet)
            .connect_http(chain.url().parse().unwrap())
            .erased();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let artifacts = Artifacts::load(root.join(DEFAULT_DIR)).unwrap();
        let registry = deploy(&rpc, &signers[0], &artifacts).await.unwrap().deployment.registry;
        let world = Self {
            rpc,
            registry,
            costs: Vec::new(),
            _chain: chain,
        };
        (world, accounts)
    }

    async fn send<C: SolCall>(&mut self, from: Address, what: &'static str, most: u64, call: C) {
        let request = self.request(call).with_from(from);
        let receipt = self
            .rpc
            .send_transaction(request)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap();
        assert!(receipt.status(), "{what}");
        self.costs.push((what, receipt.gas_used, most));
    }

    /// A view: the gas that a transaction of it would take, and its answer.
    async fn ask<C: SolCall + Clone>(&mut self, what: &'static str, most: u64, call: C) -> C::Return {
        let gas = self.rpc.estimate_gas(self.request(call.clone())).await.unwrap();
        self.costs.push((what, gas, most));
        let answer = self.rpc.call(self.request(call)).await.unwrap();
        C::abi_decode_returns(&answer).unwrap()
    }

    fn request(&self, call: impl SolCall) -> TransactionRequest {
        TransactionRequest::default()
            .with_to(self.registry)
            .with_input(call.abi_encode())
    }
}

#[tokio::test]
async fn each_call_of_the_registry_costs_no_more_than_its_bound() {
    let (mut world, [owner, issuer, clinic, nurse]) = World::start().await;
    let roles = role::ORGANISATION | role::PROVIDER;
    let issue = IRegistry::issueCredentialCall {
        party: clinic,
        roles,
        expiry: 0,
        document: B256::repeat_byte(1),
    };
    let set = IRegistry::setIssuerCall { issuer, active: true };
    world.send(owner, "setIssuer, the first time", 115_000, set).await;
    world
        .send(issuer, "issueCredential, the first", 95_000, issue.clone())
        .await;
    world.send(issuer, "issueCredential, replacing", 125_000, issue).await;
    let member = IRegistry::setMemberCall {
        actor: clinic,
        member: nurse,
        serial: 0,
        expiry: 0,
    };
    world.send(clinic, "setMember, the first time", 70_000, member).await;
    let key = |version| IRegistry::publishKeyCall {
        actor: clinic,
        version,
        suite: suite::X25519,
        key: vec![7; 32].into(),
    };
    world.send(clinic, "publishKey, the first", 120_000, key(1)).await;
    world.send(clinic, "publishKey, the second", 105_000, key(2)).await;

    let has = IRegistry::hasRolesCall { party: clinic, roles };
    assert!(world.ask("hasRoles", 50_000, has).await);
    let may = IRegistry::mayActForCall {
        organisation: clinic,
        member: nurse,
        roles,
    };
    assert!(world.ask("mayActFor", 55_000, may).await);
    let suspend = IRegistry::suspendCredentialCall { party: clinic };
    world.send(issuer, "suspendCredential", 55_000, suspend).await;
    let held = IRegistry::credentialOfCall { party: clinic };
    let held = world.ask("credentialOf", 60_000, held).await;
    assert_eq!((held.status, held.current), (status::SUSPENDED, false));
    let reinstate = IRegistry::reinstateCredentialCall { party: clinic };
    world.send(issuer, "reinstateCredential", 110_000, reinstate).await;
    let revoke = IRegistry::revokeKeyCall { version: 2 };
    world.send(clinic, "revokeKey", 50_000, revoke).await;
    assert!(
        !world
            .ask("keyOf", 55_000, IRegistry::keyOfCall { party: clinic })
            .await
            .current
    );
    let remove = IRegistry::removeMemberCall {
        actor: clinic,
        member: nurse,
        serial: 1,
    };
    world.send(clinic, "removeMember", 50_000, remove).await;
    let revoke = IRegistry::revokeCredentialCall { party: clinic };
    world.send(issuer, "revokeCredential", 55_000, revoke).await;
    let dismiss = IRegistry::setIssuerCall { issuer, active: false };
    world.send(owner, "setIssuer, dismissing", 55_000, dismiss).await;

    for (what, gas, most) in &world.costs {
        println!("{what:28} {gas:>8} gas, bound {most}");
    }
    for (what, gas, most) in &world.costs {
        assert!(gas <= most, "{what}: {gas} gas, more than {most}");
    }
}
