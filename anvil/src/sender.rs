//! Who signed a transaction.
//!
//! Recovering the key is most of what accepting a transaction costs. Bitcoin Core's library (`secp256k1`) takes a
//! tenth of the time of the Rust code that alloy brings along (23 against 240 microseconds in the development
//! profile), so it does this one job here; every other signature stays with alloy.

use alloy::consensus::TxEnvelope;
use alloy::primitives::Address;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

/// Why a signature names no sender.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// EIP-2: the mirrored signature would be valid, too.
    #[error("the signature's s is in the upper half")]
    HighS,
    #[error("{0}")]
    Invalid(#[from] secp256k1::Error),
}

/// The account whose key signed `transaction`, EIP-155 and EIP-2 respected.
///
/// # Errors
/// No key can have made the signature, or its s is in the upper half.
pub fn recover(transaction: &TxEnvelope) -> Result<Address, SignatureError> {
    let signature = transaction.signature();
    if signature.normalize_s().is_some() {
        return Err(SignatureError::HighS);
    }
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let parity = RecoveryId::try_from(i32::from(signature.v()))?;
    let signature = RecoverableSignature::from_compact(&compact, parity)?;
    let message = Message::from_digest(transaction.signature_hash().0);
    let key = SECP256K1.recover_ecdsa(&message, &signature)?;
    // The first byte only says that the point is uncompressed.
    Ok(Address::from_raw_public_key(&key.serialize_uncompressed()[1..]))
}

#[cfg(test)]
mod tests {
    use alloy::consensus::transaction::SignerRecoverable;
    use alloy::consensus::{SignableTransaction, TxEip1559, TxLegacy};
    use alloy::network::TxSignerSync;
    use alloy::primitives::{Signature, U256, uint};

    use super::*;
    use crate::accounts::dev_accounts;

    /// The order of the curve.
    const ORDER: U256 = uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);

    fn legacy(signature: Signature) -> TxEnvelope {
        TxLegacy::default().into_signed(signature).into()
    }

    #[test]
    fn the_sender_is_who_signed_and_the_same_as_alloys() {
        for account in dev_accounts() {
            for nonce in 0..20 {
                let mut transaction = TxEip1559 {
                    nonce,
                    ..TxEip1559::default()
                };
                let signature = account.signer.sign_transaction_sync(&mut transaction).unwrap();
                let transaction = TxEnvelope::from(transaction.into_signed(signature));
                assert_eq!(recover(&transaction), Ok(account.address));
                assert_eq!(transaction.recover_signer().unwrap(), account.address);
            }
        }
    }

    #[test]
    fn refuses_what_alloy_refuses() {
        let account = &dev_accounts()[0];
        let good = account.signer.sign_transaction_sync(&mut TxLegacy::default()).unwrap();
        assert_eq!(recover(&legacy(good)), Ok(account.address));
        let mirrored = Signature::new(good.r(), ORDER - good.s(), !good.v());
        assert_eq!(recover(&legacy(mirrored)), Err(SignatureError::HighS));
        for (r, s) in [
            (U256::ZERO, good.s()),
            (good.r(), U256::ZERO),
            (ORDER, good.s()),
            (U256::MAX, good.s()),
            (good.r(), ORDER),
            (good.r(), U256::MAX),
        ] {
            let bad = legacy(Signature::new(r, s, good.v()));
            assert!(recover(&bad).is_err(), "r {r}, s {s}");
            assert!(bad.recover_signer().is_err(), "r {r}, s {s}");
        }
    }
}
