use std::io::{self, Read, Write};

use medlock_vault::{
    DataKey, Error, PayloadSeal, RangeOpener, StreamError, StreamSealer, open_payload, open_stream,
    payload::{CHUNK_BYTES, HEADER_BYTES, TAG_BYTES},
    seal_payload, seal_stream,
    streaming::STREAMED_BYTES_MAX,
};

use crate::{
    TestRng, binding, json, metadata,
    payload::{CONTENT_AT, LENGTHS, SEALED_CHUNK},
    stored,
};

/// Hands out a few bytes at a time, and is interrupted now and then.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = out.len().min(self.0.len()).min(1 + self.1 * 7919 % 40_000);
        out[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

/// Fails once it has handed out, or taken, that many bytes.
struct Breaks<T>(T, usize);

impl<T: Read> Read for Breaks<T> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let most = out.len().min(self.1);
        let read = self.0.read(&mut out[..most])?;
        self.1 -= read;
        Ok(read)
    }
}

impl<T: Write> Write for Breaks<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.0.write(&bytes[..bytes.len().min(self.1)])?;
        self.1 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn seal(content: &[u8], content_bytes: u64) -> (Result<PayloadSeal, StreamError>, Vec<u8>) {
    let mut out = Vec::new();
    let mut rng = TestRng::new("payload");
    let sealed = seal_stream(
        &mut rng,
        &binding(),
        &stored(),
        content_bytes,
        Trickle(content, 0),
        &mut out,
    );
    (sealed, out)
}

/// A stored payload and its key.
fn sealed(content: &[u8]) -> (DataKey, Vec<u8>) {
    let (sealed, bytes) = seal(content, content.len() as u64);
    (sealed.unwrap().data_key, bytes)
}

/// What was written, and how it ended.
fn open(key: &DataKey, payload_bytes: usize, bytes: &[u8]) -> (Result<(), Error>, Vec<u8>) {
    let mut out = Vec::new();
    let opened = open_stream(key, &binding(), payload_bytes as u64, Trickle(bytes, 0), &mut out);
    let opened = match opened {
        Ok(_) => Ok(()),
        Err(StreamError::Vault(error)) => Err(error),
        Err(StreamError::Io(error)) => panic!("{error}"),
    };
    (opened, out)
}

#[test]
fn streams_are_as_long_as_memory_makes_them_and_open_alike() {
    let random = TestRng::new("content").bytes(3_000_000);
    let text = json(3_000_000);
    for length in LENGTHS {
        let whole = seal_payload(&mut TestRng::new("payload"), &binding(), &stored(), &random[..length]).unwrap();
        let (streamed, bytes) = seal(&random[..length], length as u64);
        let streamed = streamed.unwrap();
        // Another key is all that differs: memory draws it for the content as well.
        assert_eq!(
            (bytes.len(), streamed.payload_bytes),
            (whole.bytes.len(), bytes.len() as u64)
        );
        assert_eq!(bytes[..16], whole.bytes[..16]);
        assert!(!streamed.data_key.same(&whole.seal.data_key));
        let (opened, content) = open(&whole.seal.data_key, whole.bytes.len(), &whole.bytes);
        assert_eq!(opened, Ok(()));
        assert!(content == random[..length], "{length}");
        let (_, content) = open_payload(&streamed.data_key, &binding(), &bytes).unwrap();
        assert!(*content == random[..length], "{length}");
        let (opened, content) = open(&streamed.data_key, bytes.len(), &bytes);
        assert_eq!(opened, Ok(()));
        assert!(content == random[..length], "{length}");

        // Compressed in memory, opened as a stream.
        let whole = seal_payload(&mut TestRng::new("payload"), &binding(), &metadata(), &text[..length]).unwrap();
        let (opened, content) = open(&whole.seal.data_key, whole.bytes.len(), &whole.bytes);
        assert_eq!(opened, Ok(()));
        assert!(content == text[..length], "{length}");
    }
}

#[test]
fn content_of_another_length_than_stated_makes_no_payload() {
    let content = TestRng::new("content").bytes(3 * CHUNK_BYTES);
    for (length, stated) in [
        (0, 1),
        (1, 0),
        (1024, 1023),
        (CHUNK_BYTES, CHUNK_BYTES + 1),
        (CHUNK_BYTES + 1, CHUNK_BYTES),
        (3 * CHUNK_BYTES, 2 * CHUNK_BYTES),
        (2 * CHUNK_BYTES, 3 * CHUNK_BYTES),
    ] {
        let (sealed, bytes) = seal(&content[..length], stated as u64);
        let declared = stated as u64;
        assert!(
            matches!(sealed, Err(StreamError::Vault(Error::ContentLength { declared: found })) if found == declared),
            "{length} for {stated}"
        );
        // The last chunk is missing, without which nothing opens.
        let (_, whole) = sealed_length(stated);
        assert!(bytes.len() < whole, "{length} for {stated}");
    }
    let (sealed, bytes) = seal(&[], STREAMED_BYTES_MAX + 1);
    assert!(matches!(
        sealed,
        Err(StreamError::Vault(Error::TooLarge { what: "content", .. }))
    ));
    assert!(bytes.is_empty());
}

/// The key, and the length of the payload of so much content.
fn sealed_length(content_bytes: usize) -> (DataKey, usize) {
    let (key, bytes) = sealed(&vec![0; content_bytes]);
    (key, bytes.len())
}

#[test]
fn readers_and_writers_that_break_are_told_as_they_are() {
    let content = TestRng::new("content").bytes(200_000);
    for after in [0, 1, 70_000, 199_999] {
        let mut out = Vec::new();
        let sealed = seal_stream(
            &mut TestRng::new("payload"),
            &binding(),
            &stored(),
            200_000,
            Breaks(&content[..], after),
            &mut out,
        );
        assert!(matches!(sealed, Err(StreamError::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    }
    let (key, bytes) = sealed(&content);
    for after in [0, 79, 80, 300, CONTENT_AT, bytes.len() - 1] {
        let opened = open_stream(
            &key,
            &binding(),
            bytes.len() as u64,
            Breaks(&bytes[..], after),
            io::sink(),
        );
        assert!(matches!(opened, Err(StreamError::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    }
    // Also while it decompresses.
    let text = seal_payload(&mut TestRng::new("payload"), &binding(), &metadata(), &json(3_000_000)).unwrap();
    let length = text.bytes.len();
    for after in [CONTENT_AT, length - 1] {
        let source = Breaks(&text.bytes[..], after);
        let opened = open_stream(&text.seal.data_key, &binding(), length as u64, source, io::sink());
        assert!(matches!(opened, Err(StreamError::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    }
    for after in [0, 1, 100_000] {
        let opened = open_stream(
            &key,
            &binding(),
            bytes.len() as u64,
            &bytes[..],
            Breaks(io::sink(), after),
        );
        assert!(matches!(opened, Err(StreamError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
        let sealed = seal_stream(
            &mut TestRng::new("payload"),
            &binding(),
            &stored(),
            200_000,
            &content[..],
            Breaks(io::sink(), after),
        );
        assert!(matches!(sealed, Err(StreamError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
    }
}

#[test]
fn nothing_of_a_chunk_comes_out_before_it_is_authentic() {
    // Chunks are opened 64 at a time.
    let content = TestRng::new("content").bytes(130 * CHUNK_BYTES);
    let (key, bytes) = sealed(&content);
    for chunk in [0, 1, 33, 63, 64, 65, 127, 128, 129] {
        for at in [0, SEALED_CHUNK / 2, SEALED_CHUNK - 1] {
            let mut altered = bytes.clone();
            altered[CONTENT_AT + chunk * SEALED_CHUNK + at] ^= 1;
            // Whichever thread meets its chunk first: the first of the altered ones is named.
            altered[CONTENT_AT + 129 * SEALED_CHUNK + 1] ^= 1;
            let (opened, out) = open(&key, altered.len(), &altered);
            assert_eq!(
                opened,
                Err(Error::Chunk {
                    index: chunk as u32 + 1
                })
            );
            assert!(out == content[..chunk / 64 * 64 * CHUNK_BYTES], "chunk {chunk}");
        }
    }
    let text = json(3_000_000);
    let whole = seal_payload(&mut TestRng::new("payload"), &binding(), &metadata(), &text).unwrap();
    let mut altered = whole.bytes.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let (opened, out) = open(&whole.seal.data_key, altered.len(), &altered);
    assert!(matches!(opened, Err(Error::Chunk { .. })), "{opened:?}");
    assert!(text.starts_with(&out));
}

#[test]
fn a_stream_that_ends_early_or_is_of_another_length_than_the_envelope_says_is_refused() {
    let content = TestRng::new("content").bytes(3 * CHUNK_BYTES + 5);
    let (key, bytes) = sealed(&content);
    for cut in [
        0,
        79,
        80,
        CONTENT_AT - 1,
        CONTENT_AT,
        CONTENT_AT + SEALED_CHUNK,
        CONTENT_AT + 2 * SEALED_CHUNK,
        bytes.len() - 1,
    ] {
        // The reader ends, whatever the envelope says.
        let (opened, out) = open(&key, bytes.len(), &bytes[..cut]);
        let expected = if cut == 0 {
            Error::NotThis { what: "payload" }
        } else {
            Error::Truncated
        };
        assert_eq!(opened, Err(expected), "{cut}");
        assert!(content.starts_with(&out));
        // The envelope says so.
        let (opened, out) = open(&key, cut, &bytes);
        assert!(opened.is_err(), "{cut}");
        assert!(out.is_empty(), "{cut}");
    }
    for more in [1, TAG_BYTES, SEALED_CHUNK] {
        let (opened, out) = open(&key, bytes.len() + more, &bytes);
        assert!(opened.is_err(), "{more}");
        assert!(out.is_empty(), "{more}");
    }
}

#[test]
fn a_range_is_opened_from_its_chunks_alone() {
    let content = TestRng::new("content").bytes(4 * CHUNK_BYTES + 100);
    let (key, bytes) = sealed(&content);
    let start = RangeOpener::start_bytes(&bytes[..HEADER_BYTES]).unwrap();
    assert_eq!(start, CONTENT_AT);
    let opener = RangeOpener::new(&key, &binding(), bytes.len() as u64, &bytes[..start]).unwrap();
    assert_eq!(
        (opener.metadata(), opener.content_bytes()),
        (&stored(), content.len() as u64)
    );
    let edges = [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
        4 * CHUNK_BYTES,
        content.len() - 1,
        content.len(),
    ];
    for from in edges {
        for to in edges {
            let range = from as u64..to as u64;
            if from >= to {
                assert!(matches!(opener.sealed_range(&range), Err(Error::Range { .. })));
                continue;
            }
            let place = opener.sealed_range(&range).unwrap();
            let chunks = to.div_ceil(CHUNK_BYTES) - from / CHUNK_BYTES;
            assert!(place.end - place.start <= (chunks * SEALED_CHUNK) as u64);
            let sealed = &bytes[place.start as usize..place.end as usize];
            assert!(
                *opener.open_range(&range, sealed).unwrap() == content[from..to],
                "{range:?}"
            );
            // One chunk more or less, or another one, is not it.
            assert_eq!(opener.open_range(&range, &sealed[1..]), Err(Error::Truncated));
            let mut altered = sealed.to_vec();
            altered[sealed.len() / 2] ^= 1;
            assert!(matches!(opener.open_range(&range, &altered), Err(Error::Chunk { .. })));
        }
    }
    let one = 0..1;
    let other = &bytes[CONTENT_AT + SEALED_CHUNK..CONTENT_AT + 2 * SEALED_CHUNK];
    assert_eq!(opener.open_range(&one, other), Err(Error::Chunk { index: 1 }));
    let past = content.len() as u64..content.len() as u64 + 1;
    assert!(matches!(opener.open_range(&past, other), Err(Error::Range { .. })));
}

#[test]
fn compressed_content_has_no_ranges_and_a_lying_length_no_opener() {
    let whole = seal_payload(&mut TestRng::new("payload"), &binding(), &metadata(), &json(100_000)).unwrap();
    let length = whole.bytes.len() as u64;
    let opener = RangeOpener::new(&whole.seal.data_key, &binding(), length, &whole.bytes).unwrap();
    assert!(matches!(opener.sealed_range(&(0..1)), Err(Error::Range { .. })));

    let (key, bytes) = sealed(&[7; 100_000]);
    for length in [0, CONTENT_AT, CONTENT_AT + TAG_BYTES, bytes.len() - 1, bytes.len() + 1] {
        assert!(
            RangeOpener::new(&key, &binding(), length as u64, &bytes).is_err(),
            "{length}"
        );
    }
    assert!(matches!(
        RangeOpener::new(&key, &binding(), bytes.len() as u64, &bytes[..CONTENT_AT - 1]),
        Err(Error::Truncated)
    ));
    let other = DataKey::generate(&mut TestRng::new("other"));
    assert!(matches!(
        RangeOpener::new(&other, &binding(), bytes.len() as u64, &bytes),
        Err(Error::Commitment)
    ));
}

/// Bytes after an error would be of other content than was said.
#[test]
fn a_sealer_that_has_failed_hands_out_nothing_more() {
    let mut sealer = StreamSealer::new(&mut TestRng::new("failed"), &binding(), &metadata(), 9).unwrap();
    let mut content: &[u8] = b"eight by";
    assert!(sealer.next(&mut content).unwrap().is_some(), "the header");
    for _ in 0..2 {
        let refused = sealer.next(&mut content);
        assert!(matches!(
            refused,
            Err(StreamError::Vault(Error::ContentLength { declared: 9 }))
        ));
        content = b"nine byte";
    }
}
