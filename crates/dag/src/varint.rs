//! Unsigned varints (LEB128), as multiformats and Protocol Buffers write them.
//!
//! Strict on reading: the shortest form only, and at most nine bytes
//! (multiformats/unsigned-varint), so that a value has one spelling.

/// Nine groups of seven bits: the longest varint that multiformats allows.
pub(crate) const BYTES_MAX: usize = 9;

/// What is wrong with a varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    /// It goes on after the last byte at hand.
    Incomplete,
    /// Longer than nine bytes, or padded with zero groups.
    Malformed,
}

/// Appends `value`.
pub(crate) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads one varint off the front of `bytes`: the value and how many bytes it took.
pub(crate) fn read(bytes: &[u8]) -> Result<(u64, usize), Error> {
    let mut value = 0_u64;
    for (i, byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let padded = i > 0 && *byte == 0;
            return if padded {
                Err(Error::Malformed)
            } else {
                Ok((value, i + 1))
            };
        }
    }
    Err(if bytes.len() >= BYTES_MAX {
        Error::Malformed
    } else {
        Error::Incomplete
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_at_every_length() {
        for bits in 0..63 {
            for value in [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1] {
                let mut bytes = Vec::new();
                write(&mut bytes, value);
                assert_eq!(read(&bytes), Ok((value, bytes.len())));
                assert_eq!(read(&bytes[..bytes.len() - 1]), Err(Error::Incomplete));
            }
        }
    }

    #[test]
    fn refuses_padding_and_overlong_forms() {
        assert_eq!(read(&[0x81, 0x00]), Err(Error::Malformed));
        assert_eq!(read(&[0x80, 0x80, 0x00]), Err(Error::Malformed));
        assert_eq!(read(&[0xff; 9]), Err(Error::Malformed));
        assert_eq!(read(&[0xff; 8]), Err(Error::Incomplete));
        assert_eq!(read(&[]), Err(Error::Incomplete));
    }
}
