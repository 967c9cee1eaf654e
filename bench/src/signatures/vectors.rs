//! Signatures of the same 32 bytes, SHA-256 of "sample", each made by something else than what verifies it.

use alloy::primitives::{B256, b256, bytes};
use alloy::signers::SignerSync;
use alloy::sol;
use alloy::sol_types::SolCall;
use anyhow::Context;
use medlock_anvil::dev_accounts;

/// SHA-256 of "sample", the message of RFC 6979, appendix A.2.5.
const DIGEST: B256 = b256!("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf");

sol! {
    interface Ecrecover {
        function verify(bytes32 digest, uint8 v, bytes32 r, bytes32 s, address signer) external view returns (bool);
    }
    interface P256 {
        function verify(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) external view returns (bool);
    }
    interface WebAuthn {
        function verify(
            bytes32 challenge, bytes32 r, bytes32 s, bytes32 x, bytes32 y, bytes authenticatorData, bytes clientData
        ) external view returns (bool);
    }
    interface Ed25519 {
        function verify(bytes32 digest, bytes32 r, bytes32 s, bytes32 key) external view returns (bool);
    }
}

/// A contract, and a call that it must accept.
pub struct Case {
    /// The contract's folder in `bench/contracts/signatures`.
    pub name: &'static str,
    pub call: Vec<u8>,
    /// The arguments that come first, a word each: what is signed, the signature, the key.
    words: &'static [&'static str],
}

impl Case {
    /// The call with the last bit of one argument changed, for each in turn.
    pub fn forged(&self) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        self.words.iter().enumerate().map(|(index, word)| {
            let mut call = self.call.clone();
            call[4 + 32 * index + 31] ^= 1;
            (*word, call)
        })
    }
}

pub fn cases() -> anyhow::Result<[Case; 6]> {
    let p256 = p256().abi_encode();
    let ed25519 = ed25519().abi_encode();
    Ok([
        Case {
            name: "ecrecover",
            call: ecrecover()?.abi_encode(),
            words: &["digest", "v", "r", "s", "signer"],
        },
        Case {
            name: "p256-precompile",
            call: p256.clone(),
            words: &["digest", "r", "s", "x", "y"],
        },
        Case {
            name: "webauthn",
            call: webauthn().abi_encode(),
            words: &["challenge", "r", "s", "x", "y"],
        },
        Case {
            name: "p256-wasm",
            call: p256,
            words: &["digest", "r", "s", "x", "y"],
        },
        Case {
            name: "ed25519-dalek",
            call: ed25519.clone(),
            words: &["digest", "r", "s", "key"],
        },
        Case {
            name: "ed25519-compact",
            call: ed25519,
            words: &["digest", "r", "s", "key"],
        },
    ])
}

/// By the first development account.
fn ecrecover() -> anyhow::Result<Ecrecover::verifyCall> {
    let account = &dev_accounts()[0];
    let signature = account.signer.sign_hash_sync(&DIGEST).context("sign a digest")?;
    Ok(Ecrecover::verifyCall {
        digest: DIGEST,
        v: 27 + u8::from(signature.v()),
        r: signature.r().into(),
        s: signature.s().into(),
        signer: account.address,
    })
}

/// RFC 6979, appendix A.2.5, with SHA-256.
fn p256() -> P256::verifyCall {
    P256::verifyCall {
        digest: DIGEST,
        r: b256!("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
        s: b256!("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
        x: b256!("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"),
        y: b256!("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
    }
}

/// By OpenSSL (Python's `cryptography`), with SHA-256 of "medlock" as the key and the nonce of RFC 6979. The
/// authenticator data is SHA-256 of "medlock.example", the flags UP and UV, and the counter 0.
fn webauthn() -> WebAuthn::verifyCall {
    let client_data = concat!(
        r#"{"type":"webauthn.get","challenge":"ryvb4aqbbsHireHWlPQfxxqDHQJo6YkVYhE9imKt0b8","#,
        r#""origin":"https://medlock.example","crossOrigin":false}"#
    );
    WebAuthn::verifyCall {
        challenge: DIGEST,
        r: b256!("b47cd19647fa991b130e71f6e362294384d60bbe12f3a4414c40c1bd297e5aa2"),
        s: b256!("b782acb01b222a450301ab0105abfbf00cd92671e057213f2ab683f180ebdbd5"),
        x: b256!("ededa10857a6e1ffa19e26db77278fb21824039c4901c5fcd58b22d831e42c39"),
        y: b256!("c794a8655137c262d2e3bfda3c6b162e84282f8159377d703359fee34abebed7"),
        authenticatorData: bytes!("597403dcf45e238cf9002603fbe67c6a73cc0e897d8b829b30912742a795dfe20500000000"),
        clientData: client_data.as_bytes().into(),
    }
}

/// By OpenSSL (Python's `cryptography`), with the key of RFC 8032, section 7.1, test 1.
/// Deterministic: others make the same.
fn ed25519() -> Ed25519::verifyCall {
    Ed25519::verifyCall {
        digest: DIGEST,
        r: b256!("9b88b3a9faff5806435a3d3063cde127b280d99a9f494a31e4afa38e85f967c8"),
        s: b256!("5abadb33056b8b88906700961b7387fa0afb86b166334486a9c66ab55187f007"),
        key: b256!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    }
}
