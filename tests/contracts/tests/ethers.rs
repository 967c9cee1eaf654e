//! ethers-core, which shares no code with alloy, as a second opinion on what the ABI says: selectors, topics, encodings,
//! EIP-712 digests; and the contracts take what it makes.

use alloy::{
    json_abi::JsonAbi,
    primitives::{Address, B256, U256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{SolCall, SolStruct},
};
use ethers_core::{
    abi::{Abi, Token},
    types::{
        H160,
        transaction::eip712::{Eip712, TypedData},
    },
};
use medlock_abi::{
    records::IRecords,
    relay::IRelay,
    signed,
    terms::{CODEC_DAG_CBOR, action, purpose, reason},
};
use medlock_anvil::CHAIN_ID;
use medlock_contract_tests::root;
use serde_json::{Value, json};

use crate::world;

const INTERFACES: [&str; 5] = ["IRegistry", "IRecords", "IExceptions", "IRelay", "IAudit"];
const CHART: B256 = B256::repeat_byte(0xc1);
const DIRECTORY: B256 = B256::repeat_byte(0xd1);
const KEYRING: B256 = B256::repeat_byte(0xf1);
const CLINIC: Address = Address::repeat_byte(0x02);

#[test]
fn selectors_and_topics_are_those_that_ethers_computes() {
    for name in INTERFACES {
        let text = exported(name);
        let (ours, theirs): (JsonAbi, Abi) = (
            serde_json::from_str(&text).unwrap(),
            serde_json::from_str(&text).unwrap(),
        );
        let mut compared = 0;
        for function in theirs.functions() {
            let same = &ours.function(&function.name).unwrap()[0];
            assert_eq!(
                same.selector().0,
                function.short_signature(),
                "{name}.{}",
                function.name
            );
            compared += 1;
        }
        for event in theirs.events() {
            let same = &ours.event(&event.name).unwrap()[0];
            assert_eq!(same.selector().0, event.signature().0, "{name}.{}", event.name);
            compared += 1;
        }
        for error in theirs.errors() {
            let same = &ours.error(&error.name).unwrap()[0];
            assert_eq!(same.selector().0[..], error.signature().0[..4], "{name}.{}", error.name);
            compared += 1;
        }
        assert_eq!(compared, ours.functions.len() + ours.events.len() + ours.errors.len());
    }
}

#[test]
fn the_contract_takes_calls_that_ethers_encodes_and_ethers_reads_its_answers() {
    let mut world = world();
    let abi: Abi = serde_json::from_str(&exported("IRecords")).unwrap();
    let patient = Address::repeat_byte(0x01);
    let mut send = |name: &str, arguments: &[Token], same: Vec<u8>| {
        let data = abi.function(name).unwrap().encode_input(arguments).unwrap();
        assert_eq!(data, same, "{name}");
        world.send_raw(patient, world.records, data).output.unwrap()
    };
    let call = IRecords::openChartCall {
        actor: patient,
        chart: CHART,
        directory: DIRECTORY,
    };
    send(
        "openChart",
        &[account(patient), word(CHART), word(DIRECTORY)],
        call.abi_encode(),
    );
    let terms = IRecords::GrantTerms {
        compartments: 1 << 63 | 8,
        purposes: purpose::TREAT | purpose::HPAYMT,
        actions: action::READ,
        notBefore: 5,
        expiry: (1 << 40) - 1,
    };
    let tokens = [
        number(terms.compartments),
        number(terms.purposes),
        number(terms.actions),
        number(terms.notBefore),
        number(terms.expiry),
    ];
    let call = IRecords::grantCall {
        actor: patient,
        chart: CHART,
        directoryVersion: 1,
        grantee: CLINIC,
        serial: 0,
        terms,
        keyring: KEYRING,
    };
    send(
        "grant",
        &[
            account(patient),
            word(CHART),
            number(1u8),
            account(CLINIC),
            number(0u8),
            Token::Tuple(tokens.to_vec()),
            word(KEYRING),
        ],
        call.abi_encode(),
    );
    let record = |n: u8| {
        (
            Token::Tuple(vec![
                word(B256::repeat_byte(n)),
                number(3u8),
                number(0x71u8),
                word(B256::repeat_byte(n + 1)),
            ]),
            IRecords::NewRecord {
                recordId: B256::repeat_byte(n),
                compartment: 3,
                codec: 0x71,
                pointer: B256::repeat_byte(n + 1),
            },
        )
    };
    let (tokens, records) = [record(0x11), record(0x21), record(0x31)].into_iter().unzip();
    let call = IRecords::addRecordsCall {
        actor: patient,
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 1,
        records,
    };
    send(
        "addRecords",
        &[
            account(patient),
            word(CHART),
            account(Address::ZERO),
            number(1u8),
            Token::Array(tokens),
        ],
        call.abi_encode(),
    );

    let question = Token::Tuple(vec![
        word(CHART),
        account(CLINIC),
        account(Address::ZERO),
        number(3u8),
        word(B256::repeat_byte(0x21)),
        number(purpose::TREAT),
        number(action::READ),
    ]);
    let ask = |name: &str, arguments: &[Token]| {
        let function = abi.function(name).unwrap();
        let data = function.encode_input(arguments).unwrap();
        let output = world.call_raw(patient, world.records, data).output.unwrap();
        function.decode_output(&output).unwrap()
    };
    assert_eq!(
        ask("decide", std::slice::from_ref(&question)),
        [Token::Bool(true), number(reason::GRANT)]
    );
    assert_eq!(
        ask("decideMany", &[Token::Array(vec![question.clone(), question])]),
        [Token::Array(vec![number(reason::GRANT), number(reason::GRANT)])]
    );
    let grant = ask("grantOf", &[word(CHART), account(CLINIC)]);
    assert_eq!(grant[..3], [number(1u8), number(1u8), number(1u8)]);
    assert_eq!(
        grant[3],
        Token::Tuple(vec![
            number(1u64 << 63 | 8),
            number(purpose::TREAT | purpose::HPAYMT),
            number(action::READ),
            number(5u8),
            number((1u64 << 40) - 1)
        ])
    );
}

/// A wallet shows these fields, and signs what ethers computes from them; the relay takes it.
#[test]
fn digests_are_those_that_ethers_computes_and_the_relay_takes_signatures_over_them() {
    let mut world = world();
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap();
    let (relay, patient) = (world.relay, signer.address());
    let domain = signed::domain(CHAIN_ID, relay);
    let deadline = U256::from(world.bare.timestamp() + 60);
    let sign = |digest: [u8; 32]| signer.sign_hash_sync(&digest.into()).unwrap().as_bytes().to_vec();

    let operation = IRelay::OpenChart {
        signer: patient,
        chart: CHART,
        directory: DIRECTORY,
        nonce: U256::ZERO,
        deadline,
    };
    let message = json!({
        "signer": patient, "chart": CHART, "directory": DIRECTORY, "nonce": "0", "deadline": deadline.to_string(),
    });
    let hash = digest::<IRelay::OpenChart>(relay, message);
    assert_eq!(hash, operation.eip712_signing_hash(&domain).0);
    let signature = sign(hash).into();
    let call = IRelay::openChartCall { operation, signature };
    world.must(CLINIC, relay, call);

    let operation = IRelay::Grant {
        signer: patient,
        chart: CHART,
        directoryVersion: 1,
        grantee: CLINIC,
        serial: 0,
        compartments: 8,
        purposes: purpose::TREAT,
        actions: action::READ,
        notBefore: 0,
        expiry: 1 << 39,
        keyring: KEYRING,
        nonce: U256::ZERO,
        deadline,
    };
    let message = json!({
        "signer": patient, "chart": CHART, "directoryVersion": 1, "grantee": CLINIC, "serial": 0, "compartments": "8",
        "purposes": purpose::TREAT, "actions": action::READ, "notBefore": "0", "expiry": (1u64 << 39).to_string(),
        "keyring": KEYRING, "nonce": "0", "deadline": deadline.to_string(),
    });
    let hash = digest::<IRelay::Grant>(relay, message);
    assert_eq!(hash, operation.eip712_signing_hash(&domain).0);
    let signature = sign(hash).into();
    let call = IRelay::grantCall { operation, signature };
    world.must(CLINIC, relay, call);

    // An array of structs, with an inner type.
    let operation = IRelay::Revoke {
        signer: patient,
        chart: CHART,
        grantee: CLINIC,
        version: 2,
        directory: KEYRING,
        keyrings: vec![],
        nonce: U256::ZERO,
        deadline,
    };
    let message = json!({
        "signer": patient, "chart": CHART, "grantee": CLINIC, "version": 2, "directory": KEYRING, "keyrings": [],
        "nonce": "0", "deadline": deadline.to_string(),
    });
    let hash = digest::<IRelay::Revoke>(relay, message);
    assert_eq!(hash, operation.eip712_signing_hash(&domain).0);
    let signature = sign(hash).into();
    let call = IRelay::revokeCall { operation, signature };
    world.must(CLINIC, relay, call);

    // Some of them in it.
    let record = |n: u8| IRelay::NewRecord {
        recordId: B256::repeat_byte(n),
        compartment: n,
        codec: CODEC_DAG_CBOR,
        pointer: KEYRING,
    };
    let operation = IRelay::AddRecords {
        signer: patient,
        chart: CHART,
        organisation: Address::ZERO,
        directoryVersion: 2,
        records: vec![record(1), record(2)],
        nonce: U256::ZERO,
        deadline,
    };
    let records: Vec<Value> = operation
        .records
        .iter()
        .map(|record| {
            json!({
                "recordId": record.recordId, "compartment": record.compartment, "codec": record.codec,
                "pointer": record.pointer,
            })
        })
        .collect();
    let message = json!({
        "signer": patient, "chart": CHART, "organisation": Address::ZERO, "directoryVersion": 2, "records": records,
        "nonce": "0", "deadline": deadline.to_string(),
    });
    let hash = digest::<IRelay::AddRecords>(relay, message);
    assert_eq!(hash, operation.eip712_signing_hash(&domain).0);
    let signature = sign(hash).into();
    let call = IRelay::addRecordsCall { operation, signature };
    world.must(CLINIC, relay, call);
}

/// The EIP-712 digest as ethers computes it, from the fields and from the types as a wallet is given them.
fn digest<T: SolStruct>(relay: Address, message: Value) -> [u8; 32] {
    let mut types = serde_json::Map::new();
    types.insert(
        "EIP712Domain".into(),
        json!([
            { "name": "name", "type": "string" }, { "name": "version", "type": "string" },
            { "name": "chainId", "type": "uint256" }, { "name": "verifyingContract", "type": "address" },
        ]),
    );
    let mut texts = vec![T::eip712_root_type().into_owned()];
    texts.extend(T::eip712_components().into_iter().map(|text| text.into_owned()));
    for text in texts {
        let (name, fields) = text.trim_end_matches(')').split_once('(').unwrap();
        let fields: Vec<Value> = fields
            .split(',')
            .map(|field| {
                let (kind, name) = field.split_once(' ').unwrap();
                json!({ "name": name, "type": kind })
            })
            .collect();
        types.insert(name.into(), fields.into());
    }
    let typed: TypedData = serde_json::from_value(json!({
        "types": types,
        "primaryType": T::NAME,
        "domain": { "name": "Medlock", "version": "1", "chainId": CHAIN_ID, "verifyingContract": relay },
        "message": message,
    }))
    .unwrap();
    typed.encode_eip712().unwrap()
}

fn exported(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("contracts/abi/generated/{name}.json"))).unwrap()
}

fn word(value: B256) -> Token {
    Token::FixedBytes(value.to_vec())
}

fn account(value: Address) -> Token {
    Token::Address(H160(value.into_array()))
}

fn number(value: impl Into<u64>) -> Token {
    Token::Uint(value.into().into())
}
