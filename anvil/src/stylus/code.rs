//! What stands on chain: a header and a compressed WASM module, in one piece or, from ArbOS 60 on, in fragments.
//!
//! `EF F0 00 | dictionary | brotli(module)` is a program of one piece. `EF F0 02 | dictionary | length of the module,
//! u32 big-endian | addresses` is a root: its module is what the accounts at these addresses hold after their
//! `EF F0 01`, put together and decompressed. Only roots and programs of one piece can be called.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use revm::primitives::{Address, B256, Bytes, b256, keccak256};

use crate::arbos::{Rules, Version};

/// First bytes of a Stylus program in one piece.
pub const PREFIX: [u8; 3] = [0xef, 0xf0, 0x00];
/// First bytes of a fragment.
const FRAGMENT_PREFIX: [u8; 3] = [0xef, 0xf0, 0x01];
/// First bytes of a root.
const ROOT_PREFIX: [u8; 3] = [0xef, 0xf0, 0x02];
/// The dictionary byte that says "none".
pub const NO_DICTIONARY: u8 = 0;
/// The dictionary byte that says "Stylus".
pub const STYLUS_DICTIONARY: u8 = 1;
/// A decompressed module may not be larger (128 KiB).
pub const MAX_WASM_BYTES: usize = 128 * 1024;
/// Most fragments of a root.
pub const FRAGMENTS_MAX: u8 = 2;
/// Most bytes of an account's code (EIP-170).
pub const CODE_BYTES_MAX: usize = 24_576;
/// Gas of touching a cold account, and a warm one (EIP-2929).
pub const COLD_GAS: u64 = 2_600;
pub const WARM_GAS: u64 = 100;
/// Gas of copying a word.
const COPY_WORD_GAS: u64 = 3;
/// Keccak-256 of the Stylus dictionary that Nitro is published with (112,640 bytes).
const STYLUS_DICTIONARY_HASH: B256 = b256!("03b376a729a0bdd35218944404efdf92c1a91a9b6f930ed71ecf23a9a6b89acc");

/// Why code on chain is no program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CodeError {
    /// The prefix `EF F0 00` is missing.
    #[error("the code is not a Stylus program (no EF F0 00 prefix)")]
    NotAProgram,
    /// A fragment by itself.
    #[error("the code is a fragment of a program; activate its root")]
    IsFragment,
    /// A root that does not say what it should.
    #[error("the code is no root: {0}")]
    Root(&'static str),
    /// An account that a root names holds no fragment.
    #[error("fragment {0} of the program is no fragment (no EF F0 01 prefix)")]
    Fragment(usize),
    /// The module is compressed with the Stylus dictionary, and there is none.
    #[error("the program is compressed with the Stylus dictionary; start the chain with --stylus-dictionary FILE")]
    NoDictionary,
    /// Another dictionary than none or Stylus.
    #[error("brotli dictionary {0} does not exist; compress with dictionary 0")]
    Dictionary(u8),
    /// The brotli stream is damaged.
    #[error("the program is not valid brotli")]
    Brotli,
    /// Decompressed too large.
    #[error("the WASM is larger than {MAX_WASM_BYTES} bytes")]
    TooLarge,
    /// Decompressed to another length than the root says.
    #[error("the WASM has {have} bytes and the root says {want}")]
    Length { have: usize, want: usize },
}

/// The brotli dictionary that programs with dictionary byte 1 are compressed with. It is part of Nitro and under
/// Nitro's licence, so it is not part of this program: whoever needs it brings the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary(Arc<[u8]>);

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({} bytes)", self.0.len())
    }
}

impl Dictionary {
    /// Any bytes as a dictionary; on Arbitrum's chains it is always the one that [`Dictionary::read`] accepts.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Nitro's file, as it is published.
    ///
    /// # Errors
    /// The file cannot be read, or is another one.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("read the Stylus dictionary {}", path.display()))?;
        let hash = keccak256(&bytes);
        anyhow::ensure!(
            hash == STYLUS_DICTIONARY_HASH,
            "{} is not the Stylus dictionary: its Keccak-256 is {hash}, not {STYLUS_DICTIONARY_HASH}",
            path.display()
        );
        Ok(Self::new(&bytes))
    }
}

/// Whether code runs as a program when it is called.
pub fn is_program(code: &[u8], version: Version) -> bool {
    code.len() > PREFIX.len() && (code.starts_with(&PREFIX) || is_root(code, version))
}

/// Whether code that begins with 0xEF may be deployed.
pub fn is_component(code: &[u8], version: Version) -> bool {
    is_program(code, version) || is_fragment(code, version)
}

fn is_root(code: &[u8], version: Version) -> bool {
    version >= Version::V60 && code.len() > ROOT_PREFIX.len() && code.starts_with(&ROOT_PREFIX)
}

fn is_fragment(code: &[u8], version: Version) -> bool {
    version >= Version::V60 && code.len() > FRAGMENT_PREFIX.len() && code.starts_with(&FRAGMENT_PREFIX)
}

/// The accounts that hold a program's fragments; none where it is in one piece.
///
/// # Errors
/// [`CodeError`] when the code is neither a program nor a sound root.
pub fn fragments(code: &[u8], version: Version) -> Result<Vec<Address>, CodeError> {
    if is_fragment(code, version) {
        return Err(CodeError::IsFragment);
    }
    if !is_program(code, version) {
        return Err(CodeError::NotAProgram);
    }
    if !is_root(code, version) {
        return Ok(Vec::new());
    }
    let (wasm_bytes, addresses) = root(code)?;
    if wasm_bytes > MAX_WASM_BYTES {
        return Err(CodeError::TooLarge);
    }
    if addresses.len() % 20 != 0 {
        return Err(CodeError::Root("what follows the length is no list of addresses"));
    }
    match addresses.len() / 20 {
        0 => Err(CodeError::Root("it names no fragments")),
        count if count > usize::from(FRAGMENTS_MAX) => Err(CodeError::Root("it names more than 2 fragments")),
        _ => Ok(addresses.chunks_exact(20).map(Address::from_slice).collect()),
    }
}

/// The length of a root's module, and the bytes of its addresses.
fn root(code: &[u8]) -> Result<(usize, &[u8]), CodeError> {
    let (length, addresses) = code
        .get(ROOT_PREFIX.len() + 1..)
        .and_then(|rest| rest.split_first_chunk::<4>())
        .ok_or(CodeError::Root("it is too short"))?;
    Ok((u32::from_be_bytes(*length) as usize, addresses))
}

/// The WASM module of deployed code; `pieces` is the code of the accounts that [`fragments`] names.
///
/// # Errors
/// [`CodeError`]; decompression stops at [`MAX_WASM_BYTES`].
pub fn decode(code: &[u8], pieces: &[Bytes], rules: &Rules) -> Result<Vec<u8>, CodeError> {
    if !is_program(code, rules.version) {
        return Err(CodeError::NotAProgram);
    }
    let dictionary = code[PREFIX.len()];
    if !is_root(code, rules.version) {
        return decompress(&code[PREFIX.len() + 1..], dictionary, rules);
    }
    let (want, _) = root(code)?;
    let mut compressed = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if !is_fragment(piece, rules.version) {
            return Err(CodeError::Fragment(index));
        }
        compressed.extend_from_slice(&piece[FRAGMENT_PREFIX.len()..]);
    }
    let wasm = decompress(&compressed, dictionary, rules)?;
    if wasm.len() != want {
        let have = wasm.len();
        return Err(CodeError::Length { have, want });
    }
    Ok(wasm)
}

fn decompress(compressed: &[u8], dictionary: u8, rules: &Rules) -> Result<Vec<u8>, CodeError> {
    let mut brotli = brotli::Decompressor::new(compressed, 4096);
    match (dictionary, &rules.dictionary) {
        (NO_DICTIONARY, _) => {}
        (STYLUS_DICTIONARY, Some(Dictionary(bytes))) => {
            if !brotli.attach_dictionary(bytes.to_vec().into()) {
                return Err(CodeError::Brotli);
            }
        }
        (STYLUS_DICTIONARY, None) => return Err(CodeError::NoDictionary),
        (other, _) => return Err(CodeError::Dictionary(other)),
    }
    let mut wasm = Vec::new();
    brotli
        .take(MAX_WASM_BYTES as u64 + 1)
        .read_to_end(&mut wasm)
        .map_err(|_| CodeError::Brotli)?;
    if wasm.len() > MAX_WASM_BYTES {
        return Err(CodeError::TooLarge);
    }
    Ok(wasm)
}

/// Gas of copying that many bytes of code.
pub fn copy_gas(bytes: usize) -> u64 {
    COPY_WORD_GAS * (bytes as u64).div_ceil(32)
}

/// Deployable code for a module: header and brotli at quality 11, window 22.
pub fn encode(wasm: &[u8]) -> Vec<u8> {
    let mut code = PREFIX.to_vec();
    code.push(NO_DICTIONARY);
    code.extend(compress(wasm));
    code
}

/// Deployable code of the fragments of a module, each of at most `bytes` bytes. They are meant for [`encode_root`].
pub fn encode_fragments(wasm: &[u8], bytes: usize) -> Vec<Vec<u8>> {
    compress(wasm)
        .chunks(bytes.saturating_sub(FRAGMENT_PREFIX.len()).max(1))
        .map(|piece| [&FRAGMENT_PREFIX, piece].concat())
        .collect()
}

/// Deployable code of a root whose fragments stand at these addresses.
pub fn encode_root(wasm: &[u8], fragments: &[Address]) -> Vec<u8> {
    let mut code = ROOT_PREFIX.to_vec();
    code.push(NO_DICTIONARY);
    code.extend((wasm.len() as u32).to_be_bytes());
    code.extend(fragments.iter().flatten());
    code
}

fn compress(wasm: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    // Proof: reading from and writing to memory cannot fail.
    brotli::BrotliCompress(&mut &wasm[..], &mut out, &params).expect("in-memory compression does not fail");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(version: Version) -> Rules {
        Rules {
            version,
            ..Rules::default()
        }
    }

    #[test]
    fn refuses_what_is_no_program() {
        let v51 = rules(Version::V51);
        let wasm = vec![7; 1000];
        let code = encode(&wasm);
        let decode = |code: &[u8]| decode(code, &[], &v51);
        assert_eq!(decode(&code), Ok(wasm));
        assert_eq!(decode(&code[1..]), Err(CodeError::NotAProgram));
        assert_eq!(decode(&PREFIX), Err(CodeError::NotAProgram));
        assert_eq!(decode(&code[..code.len() - 2]), Err(CodeError::Brotli));
        assert_eq!(decode(&encode(&vec![0; MAX_WASM_BYTES + 1])), Err(CodeError::TooLarge));
        assert_eq!(decode(&[0xef, 0xf0, 0, 1, 0]), Err(CodeError::NoDictionary));
        assert_eq!(decode(&[0xef, 0xf0, 0, 2, 0]), Err(CodeError::Dictionary(2)));
    }

    #[test]
    fn a_root_and_its_fragments_make_a_program_from_arbos_60_on() {
        let wasm: Vec<u8> = (0..2_000u32).flat_map(|n| keccak256(n.to_be_bytes()).0).collect();
        let pieces: Vec<Bytes> = encode_fragments(&wasm, 40_000).into_iter().map(Bytes::from).collect();
        assert_eq!(pieces.len(), 2);
        let at = [Address::repeat_byte(1), Address::repeat_byte(2)];
        let root = encode_root(&wasm, &at);
        let v60 = rules(Version::V60);
        assert_eq!(fragments(&root, Version::V60), Ok(at.to_vec()));
        assert_eq!(decode(&root, &pieces, &v60), Ok(wasm.clone()));

        assert_eq!(fragments(&root, Version::V51), Err(CodeError::NotAProgram));
        assert!(!is_component(&root, Version::V51) && !is_component(&pieces[0], Version::V51));
        assert!(is_component(&pieces[0], Version::V60) && !is_program(&pieces[0], Version::V60));
        assert_eq!(fragments(&pieces[0], Version::V60), Err(CodeError::IsFragment));

        let swapped = [pieces[1].clone(), pieces[0].clone()];
        assert_eq!(decode(&root, &swapped, &v60), Err(CodeError::Brotli));
        assert_eq!(
            decode(&root, &[pieces[0].clone(), Bytes::new()], &v60),
            Err(CodeError::Fragment(1))
        );
        let lying = encode_root(&wasm[1..], &at);
        let wrong = CodeError::Length {
            have: wasm.len(),
            want: wasm.len() - 1,
        };
        assert_eq!(decode(&lying, &pieces, &v60), Err(wrong));
        for addresses in [&[][..], &[at[0]; 3]] {
            let refused = fragments(&encode_root(&wasm, addresses), Version::V60);
            assert!(matches!(refused, Err(CodeError::Root(_))), "{refused:?}");
        }
        assert!(matches!(fragments(&root[..27], Version::V60), Err(CodeError::Root(_))));
        assert!(matches!(fragments(&root[..6], Version::V60), Err(CodeError::Root(_))));
    }

    #[test]
    fn a_dictionary_decompresses_what_was_compressed_with_it_and_nothing_else() {
        let dictionary: Vec<u8> = (0..500u32).flat_map(|n| keccak256(n.to_be_bytes()).0).collect();
        let wasm = [&dictionary[3_000..9_000], b"tail".as_slice()].concat();
        let mut code = PREFIX.to_vec();
        code.push(STYLUS_DICTIONARY);
        let params = brotli::enc::BrotliEncoderParams {
            quality: 11,
            lgwin: 22,
            ..Default::default()
        };
        brotli::enc::BrotliCompressCustomIoCustomDict(
            &mut brotli::IoReaderWrapper(&mut &wasm[..]),
            &mut brotli::IoWriterWrapper(&mut code),
            &mut [0; 4096],
            &mut [0; 4096],
            &params,
            brotli::enc::StandardAlloc::default(),
            &mut |_, _, _, _| (),
            &dictionary,
            std::io::Error::other("end"),
        )
        .unwrap();
        assert!(code.len() < 100, "{} bytes", code.len());

        let with = |bytes: &[u8]| Rules {
            version: Version::V51,
            dictionary: Some(Dictionary::new(bytes)),
            ..Rules::default()
        };
        assert_eq!(decode(&code, &[], &with(&dictionary)), Ok(wasm.clone()));
        let shorter = &dictionary[..dictionary.len() - 1];
        assert!(decode(&code, &[], &with(shorter)) != Ok(wasm.clone()));
        assert_eq!(decode(&code, &[], &rules(Version::V51)), Err(CodeError::NoDictionary));
        // The dictionary byte decides, not whether there is a dictionary.
        assert_eq!(decode(&encode(&wasm), &[], &with(&dictionary)), Ok(wasm));
    }

    #[test]
    fn only_nitros_dictionary_is_read_from_a_file() {
        let dir = std::env::temp_dir().join(format!("medlock-dictionary-{}", std::process::id()));
        std::fs::write(&dir, b"another").unwrap();
        let refused = Dictionary::read(&dir).unwrap_err().to_string();
        std::fs::remove_file(&dir).unwrap();
        assert!(refused.contains("is not the Stylus dictionary"), "{refused}");
        assert!(Dictionary::read(&dir).is_err());
    }
}
