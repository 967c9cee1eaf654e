use std::fmt::{Debug, Display, LowerHex};

use medlock_vault::{
    AccountKey, CompartmentKeys, CompartmentPrivateKey, DataKey, EncryptionKey, Error, HistoryKey, Mnemonic, PublicKey,
    RootSecret, SealedPayload, Secrets, Share, Suite,
};
use serde::{Serialize, de::DeserializeOwned};
use static_assertions::assert_not_impl_any;

use crate::TestRng;

// A key cannot be logged, printed, put into JSON, or compared in variable time: such code does not compile.
assert_not_impl_any!(AccountKey: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(EncryptionKey: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(RootSecret: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(DataKey: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(HistoryKey: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(CompartmentPrivateKey: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(CompartmentKeys: Debug, Display, Serialize, DeserializeOwned, PartialEq);
assert_not_impl_any!(Secrets: Debug, Display, Serialize, DeserializeOwned, PartialEq);
assert_not_impl_any!(Share: Debug, Display, LowerHex, Serialize, DeserializeOwned, PartialEq, AsRef<[u8]>, Copy);
assert_not_impl_any!(Mnemonic: Debug, Display, Serialize, DeserializeOwned, PartialEq, AsRef<str>, Copy);
assert_not_impl_any!(SealedPayload: Debug, Display, Serialize, DeserializeOwned, PartialEq);

#[test]
fn refuses_keys_of_a_wrong_length_and_accounts_out_of_range() {
    assert!(matches!(
        DataKey::from_slice(&[1; 31]),
        Err(Error::InvalidKey { what: "DataKey" })
    ));
    assert!(matches!(
        RootSecret::from_slice(&[]),
        Err(Error::InvalidKey { what: "RootSecret" })
    ));
    for bytes in [[0; 32], [0xff; 32]] {
        assert!(AccountKey::from_slice(&bytes).unwrap().address().is_err());
    }
}

#[test]
fn gives_the_address_of_a_known_account() {
    // The first account of the mnemonic "test test ... junk", known to every Ethereum developer.
    let key = hex::decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
    let address = AccountKey::from_slice(&key).unwrap().address().unwrap();
    assert_eq!(address.to_checksum(None), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

#[test]
fn derives_the_public_key_of_rfc_7748() {
    // RFC 7748 section 5.2: one iteration with 9 as scalar and as point; 9 is the base point.
    let mut nine = [0; 32];
    nine[0] = 9;
    let public = EncryptionKey::from_slice(Suite::X25519, &nine).unwrap().public_key();
    assert_eq!(
        hex::encode(public.as_bytes()),
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    );
}

#[test]
fn refuses_public_keys_of_low_order() {
    // The points of order 1, 2, 4 and 8 on Curve25519 and its twist, and their other encodings (cr.yp.to/ecdh.html).
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let point = hex::decode(point).unwrap();
        assert_eq!(PublicKey::new(Suite::X25519, &point), Err(Error::BadPublicKey));
    }
    let key = EncryptionKey::generate(&mut TestRng::new("key"), Suite::X25519).public_key();
    assert_eq!(PublicKey::new(Suite::X25519, key.as_bytes()).as_ref(), Ok(&key));
    assert_eq!(
        PublicKey::new(Suite::X25519, &key.as_bytes()[1..]),
        Err(Error::BadPublicKey)
    );
    assert_eq!(PublicKey::new(Suite::XWing, key.as_bytes()), Err(Error::BadPublicKey));
    assert_eq!(Suite::new(3), Err(Error::UnknownSuite { suite: 3 }));
}
