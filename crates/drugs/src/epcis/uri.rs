//! GS1 Digital Link URIs of what EPCIS events name, and accounts.
//!
//! | | |
//! |---|---|
//! | package | `https://id.gs1.org/01/{gtin}/10/{lot}/21/{serial}` |
//! | lot | `https://id.gs1.org/01/{gtin}/10/{lot}` |
//! | case, pallet | `https://id.gs1.org/00/{sscc}` |
//! | place | `https://id.gs1.org/414/{gln}` |
//! | party | `https://id.gs1.org/417/{gln}`, or an account, `did:pkh:eip155:{chain}:{address}` |
use std::{fmt, str::FromStr};

use alloy_primitives::Address;

use crate::{
    day::digits,
    gtin::{Gtin, check_digit},
    label::{Lot, Serial},
};

const HOST: &str = "https://id.gs1.org/";
const ACCOUNT: &str = "did:pkh:eip155:";

/// One package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epc {
    pub gtin: Gtin,
    pub lot: Lot,
    pub serial: Serial,
}

/// All packages of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LotClass {
    pub gtin: Gtin,
    pub lot: Lot,
}

/// Who has packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Gln(Gln),
    /// As the contract knows them (CAIP-10).
    Account {
        chain_id: u64,
        address: Address,
    },
}

/// Why a text is no SSCC or GLN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("it must have {digits} digits and nothing else; type it as it is printed")]
    Length { digits: usize },
    #[error("its last digit is {found}, and the others give {expected}; one of them was misread")]
    CheckDigit { expected: u8, found: u8 },
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $digits:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(u64);

        impl FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, NumberError> {
                let length = NumberError::Length { digits: $digits };
                if text.len() != $digits {
                    return Err(length);
                }
                let number = digits(text.as_bytes()).ok_or(length)?;
                let (expected, found) = (check_digit(number / 10), (number % 10) as u8);
                if expected != found {
                    return Err(NumberError::CheckDigit { expected, found });
                }
                Ok(Self(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$}", self.0, width = $digits)
            }
        }
    };
}

number! {
    /// The number of a place or a party.
    Gln, 13
}
number! {
    /// The number of a case or a pallet.
    Sscc, 18
}

impl Epc {
    pub const fn class(&self) -> LotClass {
        LotClass {
            gtin: self.gtin,
            lot: self.lot,
        }
    }

    pub(super) fn parse(uri: &str) -> Option<Self> {
        let [gtin, lot, serial] = path(uri, ["01", "10", "21"])?;
        Some(Self {
            gtin: parse_gtin(&gtin)?,
            lot: lot.parse().ok()?,
            serial: serial.parse().ok()?,
        })
    }
}

impl fmt::Display for Epc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/21/{}", self.class(), Encoded(self.serial.as_str()))
    }
}

impl LotClass {
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let [gtin, lot] = path(uri, ["01", "10"])?;
        Some(Self {
            gtin: parse_gtin(&gtin)?,
            lot: lot.parse().ok()?,
        })
    }
}

impl fmt::Display for LotClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HOST}01/{}/10/{}", self.gtin, Encoded(self.lot.as_str()))
    }
}

impl Gln {
    pub(super) fn place(self) -> String {
        format!("{HOST}414/{self}")
    }

    pub(super) fn parse_place(uri: &str) -> Option<Self> {
        let [gln] = path(uri, ["414"])?;
        gln.parse().ok()
    }
}

impl Sscc {
    pub(super) fn uri(self) -> String {
        format!("{HOST}00/{self}")
    }

    pub(super) fn parse_uri(uri: &str) -> Option<Self> {
        let [sscc] = path(uri, ["00"])?;
        sscc.parse().ok()
    }
}

impl Party {
    pub(super) fn parse(uri: &str) -> Option<Self> {
        if let Some(rest) = uri.strip_prefix(ACCOUNT) {
            let (chain_id, address) = rest.split_once(':')?;
            // Without its prefix an address could be some other chain's.
            let address = address.starts_with("0x").then(|| address.parse().ok())??;
            return Some(Self::Account {
                chain_id: digits(chain_id.as_bytes())?,
                address,
            });
        }
        let [gln] = path(uri, ["417"])?;
        gln.parse().ok().map(Self::Gln)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gln(gln) => write!(f, "{HOST}417/{gln}"),
            Self::Account { chain_id, address } => write!(f, "{ACCOUNT}{chain_id}:{address}"),
        }
    }
}

/// As Digital Links have it: all 14 digits.
fn parse_gtin(text: &str) -> Option<Gtin> {
    text.parse().ok().filter(|_| text.len() == 14)
}

/// The values behind these AIs, where the path has these and no more.
fn path<const N: usize>(uri: &str, ais: [&str; N]) -> Option<[String; N]> {
    // A query says more than the event has a place for, and is no part of a serial.
    if uri.contains(['?', '#']) {
        return None;
    }
    let mut parts = uri.strip_prefix(HOST)?.split('/');
    let mut values = ais.map(|_| String::new());
    for (value, ai) in values.iter_mut().zip(ais) {
        if parts.next()? != ai {
            return None;
        }
        *value = decoded(parts.next()?)?;
    }
    parts.next().is_none().then_some(values)
}

/// Percent-encoded but for what RFC 3986, 2.3, calls unreserved.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                write!(f, "{}", byte as char)?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// `None`: a percent sign without two hexadecimal digits, or no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || (rest.next()? as char).to_digit(16);
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epc() -> Epc {
        Epc {
            gtin: "4006381333931".parse().unwrap(),
            lot: "A/B?1".parse().unwrap(),
            serial: "%21(x)".parse().unwrap(),
        }
    }

    #[test]
    fn uris_go_there_and_back() {
        let uri = "https://id.gs1.org/01/04006381333931/10/A%2FB%3F1/21/%2521%28x%29";
        assert_eq!(epc().to_string(), uri);
        assert_eq!(Epc::parse(uri), Some(epc()));
        let class = "https://id.gs1.org/01/04006381333931/10/A%2FB%3F1";
        assert_eq!(epc().class().to_string(), class);
        assert_eq!(LotClass::parse(class), Some(epc().class()));
        let gln: Gln = "9520123456788".parse().unwrap();
        assert_eq!(Gln::parse_place(&gln.place()), Some(gln));
        let sscc: Sscc = "106141412345678908".parse().unwrap();
        assert_eq!(Sscc::parse_uri(&sscc.uri()), Some(sscc));
        let address = Address::repeat_byte(0xab);
        for party in [
            Party::Gln(gln),
            Party::Account {
                chain_id: 412_346,
                address,
            },
        ] {
            assert_eq!(Party::parse(&party.to_string()), Some(party));
        }
    }

    #[test]
    fn what_is_no_uri_of_its_kind_is_refused() {
        for uri in [
            "",
            "urn:epc:id:sgtin:0614141.107346.2018",
            "http://id.gs1.org/01/04006381333931/10/A/21/1",
            "https://id.gs1.org/01/4006381333931/10/A/21/1",
            "https://id.gs1.org/01/04006381333932/10/A/21/1",
            "https://id.gs1.org/01/04006381333931/10/A",
            "https://id.gs1.org/01/04006381333931/21/1",
            "https://id.gs1.org/01/04006381333931/10/A/21/1/",
            "https://id.gs1.org/01/04006381333931/10/A/21/1?17=271130",
            "https://id.gs1.org/01/04006381333931/10/A/21/%2",
            "https://id.gs1.org/01/04006381333931/10/A/21/%FF",
            "https://id.gs1.org/01/04006381333931/10//21/1",
            "https://id.gs1.org/01/04006381333931/10/A/21/%1D",
        ] {
            assert_eq!(Epc::parse(uri), None, "{uri}");
        }
        for uri in [
            "did:pkh:eip155:1:",
            "did:pkh:eip155:x:0x00",
            "did:pkh:solana:1:0x00",
            "https://id.gs1.org/417/1",
        ] {
            assert_eq!(Party::parse(uri), None, "{uri}");
        }
        assert_eq!("123".parse::<Gln>(), Err(NumberError::Length { digits: 13 }));
        assert_eq!("952012345678x".parse::<Gln>(), Err(NumberError::Length { digits: 13 }));
        let error = NumberError::CheckDigit { expected: 8, found: 9 };
        assert_eq!("9520123456789".parse::<Gln>(), Err(error));
    }
}
