use medlock_vault::{Error, Mnemonic, RootSecret, mnemonic::TEXT_BYTES_MAX};
use sha2::{Digest, Sha256};

use crate::TestRng;

/// BIP-39's own vectors of 256 bits (github.com/trezor/python-mnemonic, vectors.json, English).
pub const STANDARD: [(&str, &str); 8] = [
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
         abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
    ),
    (
        "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
        "legal winner thank year wave sausage worth useful legal winner thank year \
         wave sausage worth useful legal winner thank year wave sausage worth title",
    ),
    (
        "8080808080808080808080808080808080808080808080808080808080808080",
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd \
         amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
    ),
    (
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
    ),
    (
        "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
        "hamster diagram private dutch cause delay private meat slide toddler razor book \
         happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
    ),
    (
        "9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
        "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich \
         alcohol speed nation flash devote level hobby quick inner drive ghost inside",
    ),
    (
        "066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
        "all hour make first leader extend hole alien behind guard gospel lava \
         path output census museum junior mass reopen famous sing advance salt reform",
    ),
    (
        "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush \
         open amazing screen patrol group space point ten exist slush involve unfold",
    ),
];

fn read(text: &str) -> Result<[u8; 32], Error> {
    Mnemonic::read(text).map(|root| *root.expose())
}

#[test]
fn writes_and_reads_the_vectors_of_bip_39() {
    for (entropy, words) in STANDARD {
        let root = RootSecret::from_slice(&hex::decode(entropy).unwrap()).unwrap();
        assert_eq!(Mnemonic::of(&root).expose(), words);
        assert!(Mnemonic::read(words).unwrap().same(&root));
    }
}

#[test]
fn every_bit_of_the_root_is_in_the_words() {
    let mut rng = TestRng::new("words");
    for _ in 0..50 {
        let root = RootSecret::generate(&mut rng);
        let words = Mnemonic::of(&root);
        assert!(Mnemonic::read(words.expose()).unwrap().same(&root));
        // The checksum, by the standard's own words: the first byte of SHA-256 is the last 8 bits.
        let last = words.expose().rsplit(' ').next().unwrap();
        let bits = bip39::Language::English.find_word(last).unwrap();
        assert_eq!((bits & 0xff) as u8, Sha256::digest(root.expose())[0]);
        for bit in 0..256 {
            let mut other = *root.expose();
            other[bit / 8] ^= 1 << (bit % 8);
            let other = Mnemonic::of(&RootSecret::from_slice(&other).unwrap());
            assert_ne!(other.expose(), words.expose());
        }
    }
}

#[test]
fn reads_words_as_people_type_them() {
    let (entropy, words) = STANDARD[4];
    let typed = format!("\n  {}\t\r\n", words.to_uppercase().replace(' ', "\n \t"));
    assert_eq!(hex::encode(read(&typed).unwrap()), entropy);
}

#[test]
fn names_the_place_of_an_unknown_word_and_never_the_word() {
    let (_, words) = STANDARD[4];
    let unknown = |position| Err(Error::UnknownWord { position });
    for (position, word) in words.split(' ').enumerate() {
        let mut altered: Vec<&str> = words.split(' ').collect();
        let secret = format!("{word}z");
        altered[position] = &secret;
        let refused = read(&altered.join(" "));
        assert_eq!(refused, unknown(position + 1));
        let error = refused.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&secret));
    }
    // A prefix of four letters tells words apart, and is still not the word; another language's word is none;
    // nor is a letter that looks the same.
    assert_eq!(read(&words.replace("hamster", "hams")), unknown(1));
    assert_eq!(read(&words.replace("diagram", "abaisser")), unknown(2));
    assert_eq!(
        read(&words.replace("private dutch", "priv\u{0430}te dutch")),
        unknown(3)
    );
}

#[test]
fn refuses_another_number_of_words() {
    let (_, words) = STANDARD[4];
    let all: Vec<&str> = words.split(' ').collect();
    for given in 0..24 {
        assert_eq!(read(&all[..given].join(" ")), Err(Error::WordCount { given }));
    }
    assert_eq!(read(&format!("{words} abandon")), Err(Error::WordCount { given: 25 }));
    // Right by BIP-39, and half a root secret.
    let twelve = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    assert_eq!(read(twelve), Err(Error::WordCount { given: 12 }));
    let long = format!("{words}{}", " ".repeat(TEXT_BYTES_MAX));
    assert!(matches!(read(&long), Err(Error::TooLarge { what: "mnemonic", .. })));
}

#[test]
fn refuses_a_wrong_checksum() {
    let (_, words) = STANDARD[0];
    // All other last words with the same 3 bits of secret: 255 of 256 of them are refused, by the checksum alone.
    let mut accepted = 0;
    for index in 0..256 {
        let last = bip39::Language::English.word_list()[index];
        match read(&words.replace("art", last)) {
            Ok(root) => {
                assert_eq!(root, [0; 32]);
                accepted += 1;
            }
            Err(error) => assert_eq!(error, Error::WordChecksum),
        }
    }
    assert_eq!(accepted, 1);
    // Two words in each other's place.
    let swapped = STANDARD[4].1.replace("hamster diagram", "diagram hamster");
    assert_eq!(read(&swapped), Err(Error::WordChecksum));
}
