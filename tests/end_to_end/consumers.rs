//! Contracts of others that ask Medlock's: `contracts/examples`, built, tested and deployed by Foundry's `forge`, on a
//! chain with our contracts as they would be deployed.

use std::{path::Path, process::Command};

use alloy::{
    network::{EthereumWallet, TransactionBuilder},
    primitives::{Address, B256, U256, hex},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
    sol,
    sol_types::{SolCall, SolError},
};
use medlock_abi::{
    records::IRecords,
    registry::IRegistry,
    terms::{CODEC_DAG_CBOR, action, purpose, reason, role},
};
use medlock_deploy::{Artifacts, Deployment, artifacts::DEFAULT_DIR};
use medlock_tests::root;

sol! {
    contract ConsentedPayout {
        error NoConsent(uint8 reason);
        error PaidBefore(bytes32 pointer);
        function pay(bytes32 chart, bytes32 recordId, address provider, uint256 amount) external;
    }
    contract JointCustody {
        error NotParent(address caller);
        function open(bytes32 chart, bytes32 directory) external;
        function grant(
            bytes32 chart,
            uint32 directoryVersion,
            address grantee,
            uint8 serial,
            (uint64, uint32, uint8, uint64, uint64) calldata terms,
            bytes32 keyring
        ) external;
        function revoke(
            bytes32 chart,
            address grantee,
            uint32 version,
            bytes32 directory,
            (address, bytes32)[] calldata keyrings
        ) external;
        function handOver(bytes32 chart, address child) external;
    }
}

const CHART: B256 = B256::repeat_byte(0xc1);
const RECORD: B256 = B256::repeat_byte(0xe1);
const POINTER: B256 = B256::repeat_byte(0x71);
const DIGEST: B256 = B256::repeat_byte(0xd1);
const LABS: u8 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_purse_pays_exactly_while_the_patient_consents() {
    let world = World::start().await;
    let [owner, patient, clinic, insurer] = world.accounts();
    world.forge(&["test", "--no-match-path", "test/OnChain.t.sol"], &[]);

    let (registry, records) = (world.deployment.registry, world.deployment.records);
    let call = IRegistry::setIssuerCall {
        issuer: owner,
        active: true,
    };
    world.send(owner, registry, call).await.unwrap();
    let call = IRegistry::issueCredentialCall {
        party: clinic,
        roles: role::PROVIDER,
        expiry: 0,
        document: DIGEST,
    };
    world.send(owner, registry, call).await.unwrap();
    let call = IRecords::openChartCall {
        actor: patient,
        chart: CHART,
        directory: DIGEST,
    };
    world.send(patient, records, call).await.unwrap();
    let call = world.granted(patient, clinic, 1, terms(purpose::TREAT, action::WRITE));
    world.send(patient, records, call).await.unwrap();
    let call = IRecords::addRecordsCall {
        actor: clinic,
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        records: vec![IRecords::NewRecord {
            recordId: RECORD,
            compartment: LABS,
            codec: CODEC_DAG_CBOR,
            pointer: POINTER,
        }],
    };
    world.send(clinic, records, call).await.unwrap();

    let [registry_text, records_text] = [registry, records].map(|address| address.to_string());
    let purse = world.create(
        "src/ConsentedPayout.sol:ConsentedPayout",
        &[&records_text, &registry_text, &insurer.to_string()],
    );
    let funding = TransactionRequest::default()
        .with_from(owner)
        .with_to(purse)
        .with_value(U256::from(1_000));
    world.mined(funding).await.unwrap();
    let pay = ConsentedPayout::payCall {
        chart: CHART,
        recordId: RECORD,
        provider: clinic,
        amount: U256::from(600),
    };
    let refusal = |reason| ConsentedPayout::NoConsent { reason }.abi_encode();

    world.asks_the_chain(purse, false);
    assert_eq!(
        world.send(insurer, purse, pay.clone()).await,
        Err(refusal(reason::NO_GRANT))
    );
    // For treatment is not for payment.
    let call = world.granted(patient, insurer, 1, terms(purpose::TREAT, action::READ));
    world.send(patient, records, call).await.unwrap();
    assert_eq!(
        world.send(insurer, purse, pay.clone()).await,
        Err(refusal(reason::PURPOSE))
    );

    let mut call = world.granted(patient, insurer, 1, terms(purpose::HPAYMT, action::READ));
    call.serial = 1;
    world.send(patient, records, call).await.unwrap();
    world.asks_the_chain(purse, true);
    let before = world.rpc.get_balance(clinic).await.unwrap();
    world.send(insurer, purse, pay.clone()).await.unwrap();
    assert_eq!(world.rpc.get_balance(clinic).await.unwrap(), before + U256::from(600));
    let again = ConsentedPayout::PaidBefore { pointer: POINTER }.abi_encode();
    assert_eq!(world.send(insurer, purse, pay.clone()).await, Err(again));

    let call = IRecords::revokeCall {
        actor: patient,
        chart: CHART,
        grantee: insurer,
        version: 2,
        directory: B256::repeat_byte(0xd2),
        keyrings: vec![],
    };
    world.send(patient, records, call).await.unwrap();
    world.asks_the_chain(purse, false);
    assert_eq!(world.send(insurer, purse, pay).await, Err(refusal(reason::NO_GRANT)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_controls_a_chart_for_two_parents() {
    let world = World::start().await;
    let [mother, father, clinic, child] = world.accounts();
    let records = world.deployment.records;
    let parents = [mother.to_string(), father.to_string()];
    let custody = world.create(
        "src/JointCustody.sol:JointCustody",
        &[&records.to_string(), &parents[0], &parents[1]],
    );
    let open = JointCustody::openCall {
        chart: CHART,
        directory: DIGEST,
    };
    let stranger = JointCustody::NotParent { caller: clinic }.abi_encode();
    assert_eq!(world.send(clinic, custody, open.clone()).await, Err(stranger));
    world.send(mother, custody, open).await.unwrap();

    let grant = JointCustody::grantCall {
        chart: CHART,
        directoryVersion: 1,
        grantee: clinic,
        serial: 0,
        terms: (1 << LABS, purpose::TREAT, action::READ, 0, 0),
        keyring: DIGEST,
    };
    // One parent alone grants nothing, however often.
    world.send(mother, custody, grant.clone()).await.unwrap();
    world.send(mother, custody, grant.clone()).await.unwrap();
    assert_eq!(world.reason(clinic).await, reason::NO_GRANT);
    world.send(father, custody, grant).await.unwrap();
    assert_eq!(world.reason(clinic).await, reason::GRANT);

    // One alone revokes, at once.
    let revoke = JointCustody::revokeCall {
        chart: CHART,
        grantee: clinic,
        version: 2,
        directory: B256::repeat_byte(0xd2),
        keyrings: vec![],
    };
    world.send(father, custody, revoke).await.unwrap();
    assert_eq!(world.reason(clinic).await, reason::NO_GRANT);

    let call = JointCustody::handOverCall { chart: CHART, child };
    world.send(mother, custody, call.clone()).await.unwrap();
    world.send(father, custody, call).await.unwrap();
    let call = IRecords::acceptControlCall {
        actor: child,
        chart: CHART,
        version: 3,
        directory: B256::repeat_byte(0xd3),
        keyrings: vec![],
    };
    world.send(child, records, call).await.unwrap();
    assert_eq!(world.reason(child).await, reason::CONTROLLER);
    assert_eq!(world.reason(custody).await, reason::NO_GRANT);
}

/// A chain with our contracts, and the examples in a folder of their own.
struct World {
    rpc: DynProvider,
    signers: Vec<PrivateKeySigner>,
    deployment: Deployment,
    chain: medlock_anvil::Handle,
    project: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let chain = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
        let signers: Vec<_> = chain.accounts().iter().map(|account| account.signer.clone()).collect();
        let mut wallet = EthereumWallet::from(signers[0].clone());
        for signer in &signers[1..4] {
            wallet.register_signer(signer.clone());
        }
        let rpc = ProviderBuilder::new()
            .with_simple_nonce_management()
            .wallet(wallet)
            .connect_http(chain.url().parse().unwrap())
            .erased();
        let artifacts = Artifacts::load(root().join(DEFAULT_DIR)).unwrap();
        let deployed = medlock_deploy::deploy(&rpc, &signers[0], &artifacts).await.unwrap();
        let project = tempfile::tempdir().unwrap();
        copy(&root().join("contracts/examples"), &project.path().join("examples"));
        copy(
            &root().join("contracts/abi/generated"),
            &project.path().join("abi/generated"),
        );
        Self {
            rpc,
            signers,
            deployment: deployed.deployment,
            chain,
            project,
        }
    }

    fn accounts(&self) -> [Address; 4] {
        std::array::from_fn(|i| self.signers[i].address())
    }

    /// What `forge ARGS` prints; it must succeed.
    fn forge(&self, args: &[&str], env: &[(&str, String)]) -> String {
        let output = Command::new(root().join(".tools/node/node_modules/.bin/forge"))
            .args(args)
            .arg("--use")
            .arg(root().join("tools/solc"))
            .env("FOUNDRY_DISABLE_NIGHTLY_WARNING", "1")
            .env_remove("ETH_FROM")
            .envs(env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.project.path().join("examples"))
            .output()
            .expect("forge; tools/setup-node.sh --tests installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "forge {args:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// Deploys an example with `forge create`.
    fn create(&self, contract: &str, constructor: &[&str]) -> Address {
        let key = hex::encode_prefixed(self.signers[0].to_bytes());
        let url = self.chain.url();
        let solc = root().join("tools/solc");
        let solc = solc.to_str().unwrap();
        let mut args = vec![
            "create",
            contract,
            "--broadcast",
            "--rpc-url",
            &url,
            "--private-key",
            &key,
        ];
        // Before the constructor's arguments, which take all that follows.
        args.extend(["--use", solc, "--constructor-args"]);
        args.extend(constructor);
        let output = Command::new(root().join(".tools/node/node_modules/.bin/forge"))
            .args(&args)
            .env("FOUNDRY_DISABLE_NIGHTLY_WARNING", "1")
            .env_remove("ETH_FROM")
            .current_dir(self.project.path().join("examples"))
            .output()
            .expect("forge; tools/setup-node.sh --tests installs it");
        let text = String::from_utf8_lossy(&output.stdout);
        let address = text.lines().find_map(|line| line.strip_prefix("Deployed to: "));
        let address = address.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        address.trim().parse().unwrap()
    }

    /// forge, on a fork, has the chain say whether the purse would pay.
    fn asks_the_chain(&self, purse: Address, consent: bool) {
        let [_, _, clinic, insurer] = self.accounts();
        let tested = self.forge(
            &[
                "test",
                "--match-path",
                "test/OnChain.t.sol",
                "--fork-url",
                &self.chain.url(),
            ],
            &[
                ("PURSE", purse.to_string()),
                ("INSURER", insurer.to_string()),
                ("CLINIC", clinic.to_string()),
                ("CHART", CHART.to_string()),
                ("RECORD", RECORD.to_string()),
                ("CONSENT", consent.to_string()),
            ],
        );
        assert!(tested.contains("1 passed; 0 failed; 0 skipped"), "{tested}");
    }

    /// Sends a transaction; the data of its revert, if it would.
    async fn send(&self, from: Address, to: Address, call: impl SolCall) -> Result<(), Vec<u8>> {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_input(call.abi_encode());
        self.mined(request).await
    }

    async fn mined(&self, request: TransactionRequest) -> Result<(), Vec<u8>> {
        match self.rpc.send_transaction(request).await {
            Ok(sent) => {
                assert!(sent.get_receipt().await.unwrap().status());
                Ok(())
            }
            Err(error) => {
                let payload = error.as_error_resp().unwrap_or_else(|| panic!("{error}"));
                let data = payload.as_revert_data().unwrap_or_else(|| panic!("{payload}"));
                Err(data.to_vec())
            }
        }
    }

    fn granted(
        &self,
        actor: Address,
        grantee: Address,
        version: u32,
        terms: IRecords::GrantTerms,
    ) -> IRecords::grantCall {
        IRecords::grantCall {
            actor,
            chart: CHART,
            directoryVersion: version,
            grantee,
            serial: 0,
            terms,
            keyring: DIGEST,
        }
    }

    /// Why `grantee` may or may not read the labs for treatment.
    async fn reason(&self, grantee: Address) -> u8 {
        let question = IRecords::Question {
            chart: CHART,
            grantee,
            member: Address::ZERO,
            compartment: LABS,
            recordId: B256::ZERO,
            purpose: purpose::TREAT,
            action: action::READ,
        };
        let request = TransactionRequest::default()
            .with_to(self.deployment.records)
            .with_input(IRecords::decideCall { question }.abi_encode());
        let answer = self.rpc.call(request).await.unwrap();
        IRecords::decideCall::abi_decode_returns(&answer).unwrap().reason
    }
}

fn terms(purposes: u32, actions: u8) -> IRecords::GrantTerms {
    IRecords::GrantTerms {
        compartments: 1 << LABS,
        purposes,
        actions,
        notBefore: 0,
        expiry: 0,
    }
}

/// A folder, into one that is not there yet.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
