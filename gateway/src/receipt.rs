//! What a read receipt must say to be taken. Pure: a reader that is a contract is asked elsewhere.
use alloy::primitives::{Address, B256};
use medlock_api::{ReadRequest, account::SIGNATURE_BYTES_MOST};

use crate::session::recover;

/// How far the reader's clock may be from ours, either way: wide enough for a desk computer without NTP. A receipt
/// is taken once whatever its age (its nonce is unique for ever); the window only keeps its time honest.
pub const FRESH_SECONDS: u64 = 300;

/// What a receipt is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub chain_id: u64,
    pub records: Address,
    pub gateway: Address,
    /// The session's account.
    pub reader: Address,
    /// Whom the session's account acts for; zero: for itself.
    pub organisation: Address,
    pub chart: B256,
    pub record_id: B256,
    pub version: u32,
    /// UNIX seconds.
    pub now: u64,
}

/// Whether the reader's own key signed `request`; if not, the reader's code has to confirm that it did (EIP-1271), or nobody has. That
/// its pointer is the version's own, and its nonce new, is checked where the answers are.
///
/// # Errors
/// The stable reason why it is refused: `gateway`, `reader`, `organisation`, `chart`, `record`, `version`, `time` or
/// `signature`.
pub fn check(request: &ReadRequest, expected: &Expected) -> Result<bool, &'static str> {
    let receipt = &request.receipt;
    let fields = [
        ("gateway", receipt.gateway == expected.gateway),
        ("reader", receipt.reader == expected.reader),
        ("organisation", receipt.organisation == expected.organisation),
        ("chart", receipt.chart == expected.chart),
        ("record", receipt.record_id == expected.record_id),
        ("version", receipt.version == expected.version),
        ("time", receipt.read_at.abs_diff(expected.now) <= FRESH_SECONDS),
    ];
    if let Some((name, _)) = fields.into_iter().find(|(_, fits)| !fits) {
        return Err(name);
    }
    if request.signature.len() > SIGNATURE_BYTES_MOST {
        return Err("signature");
    }
    let hash = receipt.signing_hash(expected.chain_id, expected.records);
    Ok(recover(&hash, &request.signature) == Some(receipt.reader))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::signers::{SignerSync, local::PrivateKeySigner};
    use medlock_api::{Purpose, Receipt};

    /// Makes a receipt of another read.
    type Edit = fn(&mut Receipt);

    fn signer() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap()
    }

    fn expected() -> Expected {
        Expected {
            chain_id: 412_346,
            records: Address::repeat_byte(1),
            gateway: Address::repeat_byte(2),
            reader: signer().address(),
            organisation: Address::repeat_byte(8),
            chart: B256::repeat_byte(4),
            record_id: B256::repeat_byte(5),
            version: 1,
            now: 1_795_233_911,
        }
    }

    fn signed(edit: impl Fn(&mut Receipt)) -> ReadRequest {
        let expected = expected();
        let mut receipt = Receipt {
            chart: expected.chart,
            record_id: expected.record_id,
            version: expected.version,
            pointer: B256::repeat_byte(6),
            reader: expected.reader,
            organisation: expected.organisation,
            purpose: Purpose::from_code("TREAT").unwrap(),
            gateway: expected.gateway,
            read_at: expected.now,
            nonce: B256::repeat_byte(7),
        };
        edit(&mut receipt);
        let hash = receipt.signing_hash(expected.chain_id, expected.records);
        let signature = signer().sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into();
        ReadRequest { receipt, signature }
    }

    #[test]
    fn takes_a_receipt_for_this_read_and_names_what_is_wrong_with_any_other() {
        assert_eq!(check(&signed(|_| ()), &expected()), Ok(true));
        assert_eq!(check(&signed(|r| r.read_at -= FRESH_SECONDS), &expected()), Ok(true));
        let cases: [(&str, Edit); 8] = [
            ("gateway", |r| r.gateway = Address::ZERO),
            ("reader", |r| r.reader = Address::ZERO),
            ("organisation", |r| r.organisation = Address::ZERO),
            ("chart", |r| r.chart = B256::ZERO),
            ("record", |r| r.record_id = B256::ZERO),
            ("version", |r| r.version = 2),
            ("time", |r| r.read_at -= FRESH_SECONDS + 1),
            ("time", |r| r.read_at += FRESH_SECONDS + 1),
        ];
        for (reason, edit) in cases {
            assert_eq!(check(&signed(edit), &expected()), Err(reason));
        }
    }

    #[test]
    fn nobodys_key_signed_a_receipt_altered_after_signing_or_made_for_another_deployment() {
        let mut altered = signed(|_| ());
        altered.receipt.purpose = Purpose::from_code("HRESCH").unwrap();
        assert_eq!(check(&altered, &expected()), Ok(false));
        let elsewhere = Expected {
            chain_id: 1,
            ..expected()
        };
        assert_eq!(check(&signed(|_| ()), &elsewhere), Ok(false));
        let elsewhere = Expected {
            records: Address::ZERO,
            ..expected()
        };
        assert_eq!(check(&signed(|_| ()), &elsewhere), Ok(false));
        let mut long = signed(|_| ());
        long.signature = vec![0; SIGNATURE_BYTES_MOST + 1].into();
        assert_eq!(check(&long, &expected()), Err("signature"));
    }
}
