use medlock_vault::{
    DocumentScope, Domain, EncryptionKey, Error, Metadata, Recipient, SealedDocument, Suite,
    document::{DOCUMENT_CONTENT_BYTES_MAX, DOCUMENT_RECIPIENTS_MAX, SEALED_DOCUMENT_BYTES_MAX},
};

use crate::{DOMAIN, TestRng};

const CLINIC: [u8; 20] = [0xc1; 20];
const INSURER: [u8; 20] = [0x1e; 20];
const SCOPE: DocumentScope = DocumentScope {
    ledger: [0x1d; 20],
    subject: [0x5b; 32],
    author: CLINIC,
};
const TEXT: &[u8] = b"left knee, arthroscopy";

fn key(seed: &str, suite: Suite) -> EncryptionKey {
    EncryptionKey::generate(&mut TestRng::new(seed), suite)
}

fn clinic() -> EncryptionKey {
    key("clinic", Suite::X25519)
}

fn insurer() -> EncryptionKey {
    key("insurer", Suite::XWing)
}

fn recipient(account: [u8; 20], key: &EncryptionKey) -> Recipient {
    Recipient {
        account,
        key_version: 1,
        key: key.public_key(),
    }
}

fn seal(seed: &str, content: &[u8], recipients: &[Recipient]) -> Result<SealedDocument, Error> {
    let metadata = Metadata {
        media_type: "application/fhir+json".into(),
        ..Metadata::default()
    };
    SealedDocument::seal(&mut TestRng::new(seed), &DOMAIN, &SCOPE, &metadata, content, recipients)
}

fn both() -> [Recipient; 2] {
    [recipient(CLINIC, &clinic()), recipient(INSURER, &insurer())]
}

#[test]
fn opens_for_each_party_and_for_nobody_else() {
    let sealed = seal("any", TEXT, &both()).unwrap();
    let document = SealedDocument::decode(&sealed.encode()).unwrap();
    assert_eq!(document, sealed);
    let open =
        |document: &SealedDocument, domain: &Domain, scope: &DocumentScope, account: &[u8; 20], key: &EncryptionKey| {
            document
                .open(domain, scope, account, key)
                .map(|(metadata, content)| (metadata.media_type, content.to_vec()))
        };
    for (account, key) in [(&CLINIC, &clinic()), (&INSURER, &insurer())] {
        let (media_type, content) = open(&document, &DOMAIN, &SCOPE, account, key).unwrap();
        assert_eq!((&*media_type, &*content), ("application/fhir+json", TEXT));
    }
    let unopened = Error::Unopened {
        what: "sealed document",
    };
    let none = |scope: &DocumentScope, account: &[u8; 20], key: &EncryptionKey| {
        open(&document, &DOMAIN, scope, account, key).unwrap_err()
    };
    assert_eq!(none(&SCOPE, &[7; 20], &clinic()), Error::NotRecipient);
    assert_eq!(none(&SCOPE, &CLINIC, &key("other", Suite::X25519)), unopened);
    assert!(matches!(none(&SCOPE, &CLINIC, &insurer()), Error::WrongSuite { .. }));
    type Edit = fn(&mut DocumentScope);
    let edits: [(&str, Edit); 3] = [
        ("ledger", |scope| scope.ledger = [7; 20]),
        ("subject", |scope| scope.subject = [7; 32]),
        ("author", |scope| scope.author = INSURER),
    ];
    for (field, edit) in edits {
        let mut scope = SCOPE;
        edit(&mut scope);
        assert_eq!(none(&scope, &CLINIC, &clinic()), Error::DocumentScope { field });
        // Nor does it open when it is written anew to fit the other case.
        let mut copied = document.clone();
        copied.scope = scope;
        assert_eq!(
            open(&copied, &DOMAIN, &scope, &CLINIC, &clinic()).unwrap_err(),
            unopened
        );
    }
    let elsewhere = Domain { chain_id: 1, ..DOMAIN };
    assert_eq!(
        open(&document, &elsewhere, &SCOPE, &CLINIC, &clinic()).unwrap_err(),
        unopened
    );
}

#[test]
fn keys_and_payloads_cannot_be_put_together_anew() {
    let (one, other) = (
        seal("one", TEXT, &both()).unwrap(),
        seal("other", b"right knee", &both()).unwrap(),
    );
    let opened = |document: &SealedDocument| document.open(&DOMAIN, &SCOPE, &CLINIC, &clinic()).map(|_| ());
    let unopened = Err(Error::Unopened {
        what: "sealed document",
    });
    let mixed = SealedDocument {
        payload: other.payload.clone(),
        ..one.clone()
    };
    assert_eq!(opened(&mixed), unopened);
    // A key that is another account's, or another version's.
    let mut moved = one.clone();
    moved.keys[1].account = [0xd0; 20];
    assert_eq!(
        moved.open(&DOMAIN, &SCOPE, &[0xd0; 20], &clinic()).map(|_| ()),
        unopened
    );
    let mut renumbered = one.clone();
    renumbered.keys.iter_mut().for_each(|key| key.key_version = 2);
    assert_eq!(opened(&renumbered), unopened);
    let flips = (0..one.payload.len()).step_by(97).map(|at| {
        let mut altered = one.clone();
        altered.payload[at] ^= 0x40;
        opened(&altered)
    });
    assert!(flips.into_iter().all(|outcome| outcome.is_err()));
}

#[test]
fn no_two_documents_share_a_key_though_the_randomness_repeats_itself() {
    let (one, other) = (
        seal("stuck", TEXT, &both()).unwrap(),
        seal("stuck", b"right knee", &both()).unwrap(),
    );
    assert_ne!(one.payload[16..80], other.payload[16..80]);
    assert_ne!(one.keys[0].sealed, other.keys[0].sealed);
}

#[test]
fn limits_are_told_and_what_is_at_the_limit_fits_a_block() {
    let too_large = |outcome: Result<SealedDocument, Error>| matches!(outcome, Err(Error::TooLarge { .. }));
    let malformed = |outcome: Result<SealedDocument, Error>| matches!(outcome, Err(Error::Malformed { .. }));
    assert!(malformed(seal("none", TEXT, &[])));
    let twice = [recipient(CLINIC, &clinic()), recipient(CLINIC, &insurer())];
    assert!(malformed(seal("twice", TEXT, &twice)));
    let parties = |count: u8| -> Vec<_> { (0..count).map(|n| recipient([n; 20], &insurer())).collect() };
    let most = DOCUMENT_RECIPIENTS_MAX as u8;
    assert!(too_large(seal("many", TEXT, &parties(most + 1))));
    // Noise does not compress.
    let noise = TestRng::new("noise").bytes(DOCUMENT_CONTENT_BYTES_MAX + 1);
    assert!(too_large(seal("large", &noise, &both())));
    let full = seal("full", &noise[1..], &parties(most)).unwrap().encode();
    assert!(full.len() <= SEALED_DOCUMENT_BYTES_MAX, "{}", full.len());
    assert!(SealedDocument::decode(&full).is_ok());
    let beyond = vec![0; SEALED_DOCUMENT_BYTES_MAX + 1];
    assert!(too_large(SealedDocument::decode(&beyond)));
}

#[test]
fn refuses_what_is_cut_or_not_canonical() {
    let block = seal("any", TEXT, &both()).unwrap().encode();
    for length in 0..block.len() {
        assert!(SealedDocument::decode(&block[..length]).is_err());
    }
    let mut reversed = SealedDocument::decode(&block).unwrap();
    reversed.keys.reverse();
    let error = SealedDocument::decode(&reversed.encode());
    assert!(matches!(error, Err(Error::Malformed { .. })), "{error:?}");
    assert!(SealedDocument::decode(&[&block[..], b"\0"].concat()).is_err());
}
