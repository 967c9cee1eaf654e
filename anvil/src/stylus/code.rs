//! What stands on chain: a four-byte header and a compressed WASM module.

use std::io::Read;

/// First bytes of every Stylus program.
pub const PREFIX: [u8; 3] = [0xef, 0xf0, 0x00];
/// The dictionary byte that says "none".
pub const NO_DICTIONARY: u8 = 0;
/// A decompressed module may not be larger (128 KiB).
pub const MAX_WASM_BYTES: usize = 128 * 1024;

/// Why code on chain is no program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CodeError {
    /// The prefix `EF F0 00` is missing.
    #[error("the code is not a Stylus program (no EF F0 00 prefix)")]
    NotAProgram,
    /// Another dictionary than none.
    #[error("brotli dictionary {0} is not supported; compress with dictionary 0")]
    Dictionary(u8),
    /// The brotli stream is damaged.
    #[error("the program is not valid brotli")]
    Brotli,
    /// Decompressed too large.
    #[error("the WASM is larger than {MAX_WASM_BYTES} bytes")]
    TooLarge,
}

/// Whether deployed code is a Stylus program.
pub fn is_program(code: &[u8]) -> bool {
    code.starts_with(&PREFIX)
}

/// The WASM module inside deployed code.
///
/// # Errors
/// [`CodeError`]; decompression stops at [`MAX_WASM_BYTES`].
pub fn decode(code: &[u8]) -> Result<Vec<u8>, CodeError> {
    let rest = code.strip_prefix(&PREFIX).ok_or(CodeError::NotAProgram)?;
    let (&dictionary, compressed) = rest.split_first().ok_or(CodeError::NotAProgram)?;
    if dictionary != NO_DICTIONARY {
        return Err(CodeError::Dictionary(dictionary));
    }
    let mut wasm = Vec::new();
    brotli::Decompressor::new(compressed, 4096)
        .take(MAX_WASM_BYTES as u64 + 1)
        .read_to_end(&mut wasm)
        .map_err(|_| CodeError::Brotli)?;
    if wasm.len() > MAX_WASM_BYTES {
        return Err(CodeError::TooLarge);
    }
    Ok(wasm)
}

/// Deployable code for a module: header and brotli at quality 11, window 22.
pub fn encode(wasm: &[u8]) -> Vec<u8> {
    let mut code = PREFIX.to_vec();
    code.push(NO_DICTIONARY);
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    // Proof: reading from and writing to memory cannot fail.
    brotli::BrotliCompress(&mut &wasm[..], &mut code, &params).expect("in-memory compression does not fail");
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_program() {
        let wasm = vec![7; 1000];
        let code = encode(&wasm);
        assert_eq!(decode(&code), Ok(wasm));
        assert_eq!(decode(&code[1..]), Err(CodeError::NotAProgram));
        assert_eq!(decode(&code[..code.len() - 2]), Err(CodeError::Brotli));
        assert_eq!(decode(&encode(&vec![0; MAX_WASM_BYTES + 1])), Err(CodeError::TooLarge));
        assert_eq!(decode(&[0xef, 0xf0, 0, 1, 0]), Err(CodeError::Dictionary(1)));
    }
}
