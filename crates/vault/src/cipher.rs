//! AES-256-GCM (SP 800-38D; 12-byte nonces, 16-byte tags) in place, by whichever library is the fastest here: AWS-LC on
//! machines, `aes-gcm` in WASM. `aes-gcm` is the reference: tests hold the other to the same bytes.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::Cipher;
#[cfg(target_arch = "wasm32")]
pub(crate) use portable::Cipher;

/// What sealing adds.
pub const TAG_BYTES: usize = 16;

/// Wrong key, nonce or associated data, or altered bytes. The buffer holds nothing of use.
pub(crate) struct Unauthentic;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    use super::{TAG_BYTES, Unauthentic};

    /// One key. Wiped on drop: AWS-LC cleanses what it frees.
    pub(crate) struct Cipher(LessSafeKey);

    impl Cipher {
        pub(crate) fn new(key: &[u8; 32]) -> Self {
            let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
            Self(LessSafeKey::new(key))
        }

        /// Seals what stands in `slot` before its last [`TAG_BYTES`] bytes, and puts the tag there.
        pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], slot: &mut [u8]) {
            let (text, tag) = slot.split_at_mut(slot.len() - TAG_BYTES);
            let nonce = Nonce::assume_unique_for_key(nonce);
            // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
            let made = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), text);
            tag.copy_from_slice(made.expect("within AES-GCM's limit").as_ref());
        }

        /// Opens `slot` in place: all of it but the tag, which is at its end.
        pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], slot: &mut [u8]) -> Result<(), Unauthentic> {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let opened = self.0.open_in_place(nonce, Aad::from(aad), slot);
            opened.map(drop).map_err(|_| Unauthentic)
        }
    }
}

#[cfg(any(test, target_arch = "wasm32"))]
mod portable {
    use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};

    use super::{TAG_BYTES, Unauthentic};

    /// One key, wiped on drop.
    pub(crate) struct Cipher(Aes256Gcm);

    impl Cipher {
        pub(crate) fn new(key: &[u8; 32]) -> Self {
            Self(Aes256Gcm::new(key.into()))
        }

        /// Seals what stands in `slot` before its last [`TAG_BYTES`] bytes, and puts the tag there.
        pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], slot: &mut [u8]) {
            let (text, tag) = slot.split_at_mut(slot.len() - TAG_BYTES);
            // AES-GCM fails only on messages of gigabytes (SP 800-38D section 5.2.1.1).
            let made = self.0.encrypt_inout_detached(&nonce.into(), aad, text.into());
            tag.copy_from_slice(&made.expect("within AES-GCM's limit"));
        }

        /// Opens `slot` in place: all of it but the tag, which is at its end.
        pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], slot: &mut [u8]) -> Result<(), Unauthentic> {
            let (text, tag) = slot.split_at_mut(slot.len().checked_sub(TAG_BYTES).ok_or(Unauthentic)?);
            let tag = (&*tag).try_into().map_err(|_| Unauthentic)?;
            let opened = self.0.decrypt_inout_detached(&nonce.into(), aad, text.into(), tag);
            opened.map_err(|_| Unauthentic)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TAG_BYTES, native, portable};

    #[test]
    fn both_libraries_make_and_take_the_same_bytes() {
        let text: Vec<u8> = (0..=u16::MAX)
            .map(|number| (number >> 3) as u8 ^ number as u8)
            .collect();
        // Every length around AES's blocks and the parallel steps of either library, then up to a whole chunk.
        let lengths = (0..520).chain([1023, 4096, 4097, 65_535, 65_536]);
        for length in lengths {
            let mut key = [0x5a; 32];
            key[..8].copy_from_slice(&(length as u64).to_be_bytes());
            let nonce = [length as u8; 12];
            let aad = &text[..length % 300];
            let (ours, reference) = (native::Cipher::new(&key), portable::Cipher::new(&key));
            let mut sealed = [&text[..length], &[0; TAG_BYTES]].concat();
            let mut expected = sealed.clone();
            ours.seal(nonce, aad, &mut sealed);
            reference.seal(nonce, aad, &mut expected);
            assert_eq!(sealed, expected, "{length}");

            let mut opened = sealed.clone();
            assert!(ours.open(nonce, aad, &mut opened).is_ok(), "{length}");
            assert_eq!(opened[..length], text[..length], "{length}");
            for at in [0, length / 2, length, length + TAG_BYTES - 1] {
                let mut altered = sealed.clone();
                altered[at] ^= 0x80;
                assert!(ours.open(nonce, aad, &mut altered.clone()).is_err(), "{length} {at}");
                assert!(reference.open(nonce, aad, &mut altered).is_err(), "{length} {at}");
            }
            let elsewhere = [aad, &[0]].concat();
            assert!(ours.open(nonce, &elsewhere, &mut sealed.clone()).is_err(), "{length}");
            assert!(reference.open(nonce, &elsewhere, &mut sealed).is_err(), "{length}");
        }
        for short in 0..TAG_BYTES {
            let cipher = (native::Cipher::new(&[0; 32]), portable::Cipher::new(&[0; 32]));
            assert!(cipher.0.open([0; 12], b"", &mut vec![0; short]).is_err());
            assert!(cipher.1.open([0; 12], b"", &mut vec![0; short]).is_err());
        }
    }
}
