//! What stays in a process's memory after the vault's secrets were dropped: this program starts itself again, lets that child
//! make, seal and open everything, and reads the child's memory while the child waits.
//!
//! The parent knows the secrets because it does the same work from the same seed; the child is given the seed alone.
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    hint::black_box,
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    process::{Command, Stdio},
};

use alloy_primitives::Address;
use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use hpke::{
    Deserializable, Kem, Serializable,
    kem::{X25519HkdfSha256, XWing},
};
use k256::ecdsa::SigningKey;
use medlock_vault::{
    Binding, Cid, CompartmentKeys, DirectoryBody, DocumentScope, Domain, EmergencyKit, EncryptionKey, Envelope,
    KdfParams, KeyFile, Keyring, KeyringScope, KitBody, KitScope, KitTerms, Metadata, Mnemonic, Published, RangeOpener,
    Recipient, RootSecret, SealedDocument, SealedPayload, Secrets, SetScope, ShareSet, Suite, Zeroizing, open_payload,
    open_stream,
    rand_core::{Rng as _, TryCryptoRng, TryRng},
    seal, seal_payload, seal_stream,
};
use sha2::{Digest, Sha256};

/// What is looked for: any so many bytes of a secret that begin at a multiple of it. An allocator writes over the first 16 bytes of
/// what is freed, so half a key must be enough to find it.
const PIECE_BYTES: usize = 16;
/// What the child is to do: seed, suite, step, leak.
const CHILD: &str = "MEDLOCK_MEMORY_CHILD";
const DOMAIN: Domain = Domain {
    chain_id: 412_346,
    records: [0xac; 20],
};
const CHART: [u8; 32] = [0xc4; 32];
const KIT_SERIAL: u32 = 3;
const PARAMS: KdfParams = KdfParams {
    memory_kib: 7 * 1024,
    iterations: 1,
    lanes: 1,
};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). It leaves no more than 8 bytes of what it gave anywhere but where it was asked to.
struct Rng {
    state: u64,
    /// All that was drawn, for the parent.
    drawn: Option<Vec<Vec<u8>>>,
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        if let Some(drawn) = &mut self.drawn {
            drawn.push(out.to_vec());
        }
        Ok(())
    }
}
impl TryCryptoRng for Rng {}

/// Secrets by name.
type Secret = (String, Vec<u8>);

/// What a child does last before it is looked at: what one step leaves on the stack, the next may write over.
const STEPS: [&str; 13] = [
    "secrets",
    "key file",
    "compartments",
    "stored payload",
    "compressed payload",
    "stream",
    "envelope",
    "keyring",
    "document",
    "shares",
    "emergency kit",
    "words",
    "seal",
];

/// Everything that the vault does with secrets, up to the step `last`. Only the parent's `tell` keeps them.
fn work(rng: &mut Rng, suite: Suite, last: &str, tell: &mut dyn FnMut(&str, &[u8])) {
    let mut passphrase = Zeroizing::new(vec![0; 32]);
    rng.fill_bytes(&mut passphrase);
    tell("passphrase", &passphrase);
    // Long enough for threads.
    let mut content = Zeroizing::new(vec![0; 1_200_000]);
    rng.fill_bytes(&mut content);
    tell("content", &content);
    // Compressible: bytes as text. It is not looked for: zstd's own buffers are not wiped (docs/threat-model.md).
    let mut text = Zeroizing::new(vec![0; 20_000]);
    hex::encode_to_slice(&content[..10_000], &mut text).unwrap();

    let secrets = Secrets::generate(rng, suite);
    tell("account key", secrets.account.expose());
    tell("encryption key", secrets.encryption.expose());
    tell("root secret", secrets.root.expose());
    secrets.account.address().unwrap();
    secrets.encryption.public_key();
    let (mut keys, mut payload) = (None, None);
    for step in STEPS {
        match step {
            "secrets" => {}
            "key file" => key_file(rng, &secrets, &passphrase, tell),
            "compartments" => keys = Some(compartments(rng, suite, &secrets, tell)),
            "stored payload" => payload = Some(whole(rng, "application/dicom", &content, tell)),
            "compressed payload" => drop(whole(rng, "text/plain", &text, tell)),
            "stream" => stream(rng, &content, tell),
            "envelope" => envelope(rng, keys.as_ref().unwrap(), payload.as_ref().unwrap(), tell),
            "keyring" => keyring(rng, &secrets.encryption, keys.as_ref().unwrap()),
            "document" => document(rng, suite, &secrets.encryption, &content, tell),
            "shares" => shares(rng, suite, &secrets, tell),
            "emergency kit" => emergency_kit(rng, suite, &secrets, tell),
            "words" => words(&secrets.root, tell),
            "seal" => bare_seal(rng, &secrets.encryption),
            _ => unreachable!("not a step: {step}"),
        }
        if step == last {
            break;
        }
    }
}

fn key_file(rng: &mut Rng, secrets: &Secrets, passphrase: &[u8], tell: &mut dyn FnMut(&str, &[u8])) {
    let file = KeyFile::seal(rng, secrets, passphrase, PARAMS).unwrap();
    let json = file.to_json();
    let opened = KeyFile::from_json(&json).unwrap().open(passphrase).unwrap();
    assert!(opened.root.same(&secrets.root));
    tell("key file, in clear", json.as_bytes());
}

fn compartments(rng: &mut Rng, suite: Suite, secrets: &Secrets, tell: &mut dyn FnMut(&str, &[u8])) -> CompartmentKeys {
    let older = CompartmentKeys::derive(&secrets.root, &CHART, 3, 1, suite).unwrap();
    let keys = CompartmentKeys::derive(&secrets.root, &CHART, 3, 2, suite).unwrap();
    for (name, keys) in [("epoch 1", &older), ("epoch 2", &keys)] {
        tell(&format!("compartment private key of {name}"), keys.private.expose());
        tell(
            &format!("history key of {name}"),
            keys.history.as_ref().unwrap().expose(),
        );
    }
    let link = keys.seal_link(&CHART, &older).unwrap();
    let back = keys.open_link(&CHART, &link).unwrap();
    assert!(back.private.same(&older.private));
    let compartments = BTreeMap::from([(3, suite)]);
    let body = DirectoryBody::first(rng, &secrets.root, &CHART, &compartments, &BTreeMap::new()).unwrap();
    let body = body.next(rng, &secrets.root, 2, &compartments).unwrap();
    assert!(body.open_labels(&secrets.root).unwrap().is_empty());
    let back = body.keys_at_epoch(&keys, 1).unwrap();
    assert!(back.private.same(&older.private));
    keys
}

fn whole(rng: &mut Rng, media_type: &str, content: &[u8], tell: &mut dyn FnMut(&str, &[u8])) -> SealedPayload {
    let metadata = Metadata {
        media_type: media_type.into(),
        ..Metadata::default()
    };
    let payload = seal_payload(rng, &binding(), &metadata, content).unwrap();
    tell(&format!("data key, {media_type}"), payload.seal.data_key.expose());
    tell(&format!("payload, {media_type}, in clear"), &payload.bytes);
    let (_, opened) = open_payload(&payload.seal.data_key, &binding(), &payload.bytes).unwrap();
    assert!(*opened == *content);
    payload
}

fn stream(rng: &mut Rng, content: &[u8], tell: &mut dyn FnMut(&str, &[u8])) {
    let metadata = Metadata {
        media_type: "application/dicom".into(),
        ..Metadata::default()
    };
    let mut bytes = Vec::new();
    let sealed = seal_stream(rng, &binding(), &metadata, content.len() as u64, content, &mut bytes).unwrap();
    tell("data key, stream", sealed.data_key.expose());
    tell("payload, stream, in clear", &bytes);
    let length = bytes.len() as u64;
    open_stream(&sealed.data_key, &binding(), length, &bytes[..], io::sink()).unwrap();
    let opener = RangeOpener::new(&sealed.data_key, &binding(), length, &bytes).unwrap();
    let range = 70_000..80_000;
    let place = opener.sealed_range(&range).unwrap();
    let part = opener.open_range(&range, &bytes[place.start as usize..place.end as usize]);
    assert!(*part.unwrap() == content[70_000..80_000]);
}

fn envelope(rng: &mut Rng, keys: &CompartmentKeys, payload: &SealedPayload, tell: &mut dyn FnMut(&str, &[u8])) {
    let digest = cid::multihash::Multihash::wrap(0x12, &Sha256::digest(&payload.bytes)).unwrap();
    let cid = Cid::new_v1(0x55, digest);
    let binding = binding();
    let envelope = Envelope::seal(rng, &binding, keys.epoch, &keys.public_key(), cid, &payload.seal).unwrap();
    let block = envelope.encode();
    tell("envelope, in clear", &block);
    let opened = Envelope::decode(&block).unwrap().open(&binding, keys).unwrap();
    assert!(opened.same(&payload.seal.data_key));
}

fn keyring(rng: &mut Rng, grantee: &EncryptionKey, keys: &CompartmentKeys) {
    let scope = KeyringScope {
        chart: CHART,
        grantee: [0xc1; 20],
        directory_version: 1,
        key_version: 1,
    };
    let keyring = Keyring::seal(rng, &DOMAIN, &scope, &grantee.public_key(), std::slice::from_ref(keys)).unwrap();
    let opened = keyring.open(&DOMAIN, &CHART, &scope.grantee, grantee).unwrap();
    assert!(opened[0].private.same(&keys.private));
}

fn document(rng: &mut Rng, suite: Suite, party: &EncryptionKey, content: &[u8], tell: &mut dyn FnMut(&str, &[u8])) {
    let scope = DocumentScope {
        ledger: [0x1d; 20],
        subject: CHART,
        author: [0xc1; 20],
    };
    let other = EncryptionKey::generate(rng, suite);
    let recipients = [([0xc1; 20], party), ([0x1e; 20], &other)].map(|(account, key)| Recipient {
        account,
        key_version: 1,
        key: key.public_key(),
    });
    let metadata = Metadata {
        media_type: "application/dicom".into(),
        ..Metadata::default()
    };
    let sealed = SealedDocument::seal(rng, &DOMAIN, &scope, &metadata, content, &recipients).unwrap();
    tell("document, in clear", &sealed.encode());
    for (account, key) in [([0xc1; 20], party), ([0x1e; 20], &other)] {
        let (_, opened) = sealed.open(&DOMAIN, &scope, &account, key).unwrap();
        assert!(*opened == *content);
    }
}

fn shares(rng: &mut Rng, suite: Suite, secrets: &Secrets, tell: &mut dyn FnMut(&str, &[u8])) {
    let custodians: Vec<EncryptionKey> = (0..3).map(|_| EncryptionKey::generate(rng, suite)).collect();
    let recipients: Vec<Recipient> = (0..3)
        .map(|at| Recipient {
            account: [at as u8; 20],
            key_version: 1,
            key: custodians[at].public_key(),
        })
        .collect();
    let scope = SetScope {
        domain: DOMAIN,
        owner: [0x0e; 20],
        version: 1,
    };
    let (set, sealed) = ShareSet::split(rng, &scope, &secrets.root, 2, &recipients).unwrap();
    let digest = set.digest();
    let set = set.verify(&scope, &digest).unwrap();
    let mut shares = Vec::new();
    for at in 0..3 {
        let share = sealed[at].open(&set, &recipients[at].account, &custodians[at]).unwrap();
        tell(&format!("share {}", at + 1), share.expose());
        let passed = share.seal_to(rng, &set, &recipients[0]).unwrap();
        shares.push(passed.open(&set, &recipients[0].account, &custodians[0]).unwrap());
    }
    let published = Published {
        chart: CHART,
        compartment: 3,
        epoch: 2,
        key: CompartmentKeys::derive(&secrets.root, &CHART, 3, 2, suite)
            .unwrap()
            .public_key(),
    };
    assert!(set.recombine(&shares, &published).unwrap().same(&secrets.root));
}

fn emergency_kit(rng: &mut Rng, suite: Suite, secrets: &Secrets, tell: &mut dyn FnMut(&str, &[u8])) {
    let parties: Vec<EncryptionKey> = (0..3).map(|_| EncryptionKey::generate(rng, suite)).collect();
    let recipients: Vec<Recipient> = (0..3)
        .map(|at| Recipient {
            account: [at as u8; 20],
            key_version: 1,
            key: parties[at].public_key(),
        })
        .collect();
    let compartments = BTreeMap::from([(3, suite)]);
    let directory = DirectoryBody::first(rng, &secrets.root, &CHART, &compartments, &BTreeMap::new()).unwrap();
    let terms = KitTerms {
        compartments: u64::MAX,
        threshold: 2,
        custodians: &recipients[..2],
    };
    let body = KitBody::make(rng, &DOMAIN, &secrets.root, &directory, KIT_SERIAL, &terms).unwrap();
    assert_eq!(body.compartments(&DOMAIN, &secrets.root), Ok(1 << 3));
    // Nobody's account: what signs is no part of this.
    let signer = SigningKey::from_slice(&[7; 32]).unwrap();
    let (signature, parity) = signer
        .sign_prehash_recoverable(body.signing_hash(&DOMAIN).as_slice())
        .unwrap();
    let signature = [&signature.to_bytes()[..], &[27 + parity.to_byte()]].concat();
    let bytes = body.with_signature(signature).encode();
    tell("kit, in clear", &bytes);
    let scope = KitScope {
        domain: DOMAIN,
        chart: CHART,
        directory_version: 1,
        serial: KIT_SERIAL,
    };
    let kit = EmergencyKit::decode(&bytes).unwrap();
    let kit = kit.verify(&scope, Address::from_private_key(&signer)).unwrap();
    let shares: Vec<_> = (0..2)
        .map(|at| {
            let (account, key) = (&recipients[at].account, &parties[at]);
            let sealed = kit.release(rng, account, key, &recipients[2]).unwrap();
            sealed.open(kit.set(), &recipients[2].account, &parties[2]).unwrap()
        })
        .collect();
    for (at, share) in shares.iter().enumerate() {
        tell(&format!("share {} of the kit", at + 1), share.expose());
    }
    let keys = kit.open(&shares, &directory).unwrap();
    tell("compartment private key out of the kit", keys[0].private.expose());
}

fn words(root: &RootSecret, tell: &mut dyn FnMut(&str, &[u8])) {
    let words = Mnemonic::of(root);
    tell("words", words.expose().as_bytes());
    assert!(Mnemonic::read(words.expose()).unwrap().same(root));
}

/// Straight from the RNG, so that the parent knows the ephemeral key.
fn bare_seal(rng: &mut Rng, recipient: &EncryptionKey) {
    let sealed = seal::seal(rng, &recipient.public_key(), b"info", b"message").unwrap();
    let opened = seal::open(recipient.suite(), recipient.expose(), b"info", &sealed, "seal");
    assert_eq!(*opened.unwrap(), b"message");
}

fn binding() -> Binding {
    Binding {
        chain_id: DOMAIN.chain_id,
        records: DOMAIN.records,
        chart: CHART,
        record_id: [0x4d; 32],
        version: 1,
        previous: [0; 32],
        compartment: 3,
    }
}

/// What the parent expects not to find: what `work` tells, what was drawn for it, and what the vault derives from these.
fn secrets(seed: u64, suite: Suite) -> Vec<Secret> {
    let mut rng = Rng {
        state: seed,
        drawn: Some(Vec::new()),
    };
    let mut told: Vec<Secret> = Vec::new();
    work(&mut rng, suite, "", &mut |name, bytes| {
        told.push((name.to_owned(), bytes.to_vec()))
    });
    let (clear, mut secrets): (Vec<_>, Vec<_>) = told.into_iter().partition(|(name, _)| name.ends_with("in clear"));
    let of = |all: &[Secret], name: &str| all.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let mut derived: Vec<Secret> = Vec::new();

    // What was drawn and does not stand in the clear: keys, and what HPKE's ephemeral keys come from.
    let stands_in_clear = |drawn: &[u8]| {
        let text = hex::encode(drawn);
        clear.iter().any(|(_, bytes)| {
            bytes.windows(drawn.len()).any(|window| window == drawn)
                || bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    };
    for (at, drawn) in rng.drawn.unwrap().into_iter().enumerate() {
        if drawn.len() == 32 && !stands_in_clear(&drawn) {
            let (ephemeral, _) = X25519HkdfSha256::derive_keypair(&drawn);
            derived.push((format!("X25519 key from draw {at}"), ephemeral.to_bytes().to_vec()));
            derived.push((format!("draw {at}"), drawn));
        }
    }

    // The keys of the payloads (docs/formats.md).
    for payload in ["application/dicom", "text/plain", "stream"] {
        let name = format!("data key, {payload}");
        let salt = &of(&clear, &format!("payload, {payload}, in clear"))[16..48];
        let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(salt), &of(&secrets, &name));
        let mut key = vec![0; 32];
        hkdf.expand(b"medlock/v1/payload/key\x00\x01", &mut key).unwrap();
        derived.push((format!("{name}, K_enc"), key));
        derived.push((format!("{name}, extracted"), prk.to_vec()));
    }

    // The emergency root, and what its key comes from.
    let kit = EmergencyKit::decode(&of(&clear, "kit, in clear")).unwrap().body;
    let place = [
        &DOMAIN.to_bytes()[..],
        &CHART,
        &1u32.to_be_bytes(),
        &KIT_SERIAL.to_be_bytes(),
    ]
    .concat();
    let (mut emergency, mut ikm) = (vec![0; 32], vec![0; 32]);
    Hkdf::<Sha256>::new(None, &of(&secrets, "root secret"))
        .expand_multi_info(&[b"medlock/v1/emergency/root", &place, &kit.id], &mut emergency)
        .unwrap();
    Hkdf::<Sha256>::new(None, &emergency)
        .expand_multi_info(&[b"medlock/v1/emergency/key", &suite.id().to_be_bytes()], &mut ikm)
        .unwrap();
    derived.push(("emergency root".into(), emergency));
    derived.push(("what the kit's key comes from".into(), ikm));

    // The key of the key file, and the memory that Argon2id filled.
    let file: serde_json::Value = serde_json::from_slice(&of(&clear, "key file, in clear")).unwrap();
    let salt = hex::decode(file["kdf"]["salt"].as_str().unwrap()).unwrap();
    let params = Params::new(PARAMS.memory_kib, PARAMS.iterations, PARAMS.lanes, Some(32)).unwrap();
    let mut blocks = vec![argon2::Block::default(); params.block_count()];
    let mut key = vec![0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(&of(&secrets, "passphrase"), &salt, &mut key, &mut blocks)
        .unwrap();
    derived.push(("key of the key file".into(), key));
    for at in [0, 1, blocks.len() / 2, blocks.len() - 1] {
        let block = blocks[at].as_ref().iter().flat_map(|word| word.to_le_bytes());
        derived.push((format!("Argon2id's block {at}"), block.collect()));
    }

    // What HPKE derives for the envelope: the shared secret of DHKEM, and the key (RFC 9180 sections 4.1 and 5.1).
    let envelope = Envelope::decode(&of(&clear, "envelope, in clear")).unwrap();
    let private = of(&secrets, "compartment private key of epoch 2");
    fn shared<K: Kem>(private: &[u8], encapsulated: &[u8]) -> Vec<u8> {
        let private = K::PrivateKey::from_bytes(private).unwrap();
        let encapsulated = K::EncappedKey::from_bytes(encapsulated).unwrap();
        K::decap(&private, None, &encapsulated).unwrap().0.to_vec()
    }
    let shared = match suite {
        Suite::X25519 => shared::<X25519HkdfSha256>(&private, &envelope.sealed.encapsulated),
        Suite::XWing => shared::<XWing>(&private, &envelope.sealed.encapsulated),
    };
    derived.push(("shared secret of the envelope's seal".into(), shared));

    secrets.extend(derived);
    secrets
}

/// The child's part: `work`, far down the stack, so that what the child does afterwards writes over nothing that `work` left there.
fn child(seed: u64, suite: Suite, last: &str, leak: &str) {
    #[inline(never)]
    fn deep(seed: u64, suite: Suite, last: &str, leak: &str) {
        let mut room = [0_u8; 256 * 1024];
        black_box(&mut room);
        let mut rng = Rng {
            state: seed,
            drawn: None,
        };
        let mut root = Zeroizing::new([0; 32]);
        work(&mut rng, suite, last, &mut |name, bytes| {
            if name == "root secret" {
                root.copy_from_slice(bytes);
            }
        });
        match leak {
            "" => {}
            "kept" => std::mem::forget(RootSecret::from_slice(&*root).unwrap()),
            "freed" => drop(black_box(root.repeat(100))),
            "on the stack" => spill(&root),
            _ => panic!("unknown leak {leak}"),
        }
        black_box(&mut room);
    }
    #[inline(never)]
    fn spill(key: &[u8; 32]) {
        black_box(&mut { *key });
    }
    deep(seed, suite, last, leak);
    println!("ready");
    // Until the parent has seen enough.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Which of `secrets` are found in the memory of a child that does as `child`, and where.
fn found(secrets: &[Secret], seed: u64, suite: Suite, last: &str, leak: &str) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "leaves_no_secret_in_memory",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, format!("{seed}/{}/{last}/{leak}", suite.name()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().ends_with("ready")),
        "the child ended early"
    );

    let mut pieces: HashMap<&[u8], String> = HashMap::new();
    // Nearly every place in memory is told not to be a secret by its first two bytes.
    let mut begins = vec![false; 1 << 16];
    let two = |bytes: &[u8]| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    for (name, bytes) in secrets {
        for (at, piece) in bytes.chunks_exact(PIECE_BYTES).enumerate() {
            let name = || format!("{name}, bytes from {}", at * PIECE_BYTES);
            pieces.entry(piece).or_insert_with(name);
            begins[two(piece)] = true;
        }
    }
    let mut found = Vec::new();
    let (mut read_bytes, mut maps) = (0, 0);
    for (start, name, memory) in writable(child.id()) {
        maps += 1;
        read_bytes += memory.len();
        for (at, window) in memory.windows(PIECE_BYTES).enumerate() {
            if begins[two(window)]
                && let Some(piece) = pieces.get(window)
            {
                found.push(format!("{last}: {piece}: at {:x} in {name}", start + at as u64));
            }
        }
    }
    println!(
        "{last}: looked for {} pieces of {} secrets in {read_bytes} bytes of {maps} maps",
        pieces.len(),
        secrets.len()
    );
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    found
}

/// All writable memory of a process: start, name, content.
fn writable(pid: u32) -> Vec<(u64, String, Vec<u8>)> {
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut out = Vec::new();
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if !fields[1].starts_with("rw") {
            continue;
        }
        let (start, end) = fields[0].split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; (end - start) as usize];
        memory.read_exact_at(&mut bytes, start).unwrap();
        out.push((start, fields.get(5).unwrap_or(&"anonymous memory").to_string(), bytes));
    }
    out
}

#[test]
fn leaves_no_secret_in_memory() {
    if let Ok(orders) = std::env::var(CHILD) {
        let [seed, suite, last, leak] = orders.split('/').collect::<Vec<_>>()[..] else {
            panic!("not orders: {orders}");
        };
        return child(seed.parse().unwrap(), Suite::from_name(suite).unwrap(), last, leak);
    }
    for suite in [Suite::X25519, Suite::XWing] {
        let secrets = secrets(1, suite);
        let found: Vec<String> = STEPS
            .iter()
            .flat_map(|last| found(&secrets, 1, suite, last, ""))
            .collect();
        let name = suite.name();
        assert!(
            found.is_empty(),
            "{name}: {} pieces:\n{}",
            found.len(),
            found.join("\n")
        );
    }
}

/// That the other test can fail.
#[test]
fn finds_a_key_wherever_one_is_left() {
    let secrets = secrets(2, Suite::X25519);
    for leak in ["kept", "freed", "on the stack"] {
        let found = found(&secrets, 2, Suite::X25519, "words", leak);
        assert!(!found.is_empty(), "{leak}");
        let others: Vec<_> = found
            .iter()
            .filter(|place| !place.starts_with("words: root secret"))
            .collect();
        assert!(others.is_empty(), "{leak}: {others:?}");
    }
}
