//! The elements that several resources are made of.
use alloy_primitives::{Address, B256, hex};
use medlock_fhir::facade::bytes32;

use super::{
    Fault, Refused,
    read::{Node, Object},
    system,
    write::Element,
};
use crate::time::DateTime;

/// An enumeration of codes that FHIR fixes.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$of_one:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$of_one])* $variant),*
        }

        impl $name {
            /// In the order of [`Self::CODES`].
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            pub const CODES: &'static [&'static str] = &[$($code),*];

            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            #[must_use]
            pub fn of(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }

            #[allow(dead_code, reason = "not every enumeration stands in an element of the type code")]
            pub(super) fn read(node: &$crate::fhir::read::Node<'_>) -> Result<Self, $crate::fhir::Refused> {
                Self::of(&node.text()?).ok_or_else(|| node.refused($crate::fhir::Fault::Code { allowed: Self::CODES }))
            }
        }
    };
}
pub(super) use codes;

codes! {
    /// R4 `fm-status`.
    Status {
        Active = "active",
        Cancelled = "cancelled",
        Draft = "draft",
        EnteredInError = "entered-in-error",
    }
}

/// Codings in one concept: translations of one code.
const CODINGS_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coding {
    pub system: Option<String>,
    pub code: String,
}

impl Coding {
    #[must_use]
    pub fn new(system: &str, code: &str) -> Self {
        Self {
            system: Some(system.to_owned()),
            code: code.to_owned(),
        }
    }

    /// The code, where it is of this system.
    pub(super) fn code_of(&self, system: &str) -> Option<&str> {
        (self.system.as_deref() == Some(system)).then_some(self.code.as_str())
    }

    pub(super) fn element(&self) -> Element {
        Element::new()
            .with("code", &self.code)
            .with_some("system", self.system.as_ref())
    }
}

/// A CodeableConcept of these codings.
pub(super) fn concept<'a>(codings: impl IntoIterator<Item = &'a Coding>) -> Element {
    Element::new().with_all("coding", codings.into_iter().map(Coding::element))
}

impl Node<'_> {
    /// The codings of a CodeableConcept that have a code.
    pub(super) fn codings(self) -> Result<Vec<Coding>, Refused> {
        let concept = self.object(&["coding", "text"])?;
        let mut codings = Vec::new();
        for node in concept.list("coding", CODINGS_MAX)? {
            codings.extend(node.coding()?);
        }
        Ok(codings)
    }

    /// `None` where it has no code.
    pub(super) fn coding(self) -> Result<Option<Coding>, Refused> {
        let coding = self.object(&["system", "version", "code", "display", "userSelected"])?;
        let Some(code) = coding.optional("code") else {
            return Ok(None);
        };
        Ok(Some(Coding {
            system: coding.text("system")?,
            code: code.text()?,
        }))
    }
}

/// A business identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identifier {
    pub system: Option<String>,
    pub value: String,
}

impl Identifier {
    /// Of a claim on chain.
    #[must_use]
    pub fn claim(claim: B256) -> Self {
        Self {
            system: Some(system::CLAIM.to_owned()),
            value: hex::encode(claim),
        }
    }

    /// The claim on chain that this is of.
    #[must_use]
    pub fn claim_of(&self) -> Option<B256> {
        let is_claims = self.system.as_deref() == Some(system::CLAIM);
        bytes32(&self.value).filter(|_| is_claims).map(B256::new)
    }

    pub(super) fn element(&self) -> Element {
        Element::new()
            .with_some("system", self.system.as_ref())
            .with("value", &self.value)
    }
}

/// A reference to a resource: literal, logical, or both (R4, `references.html`). Names that are shown with it are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    pub reference: Option<String>,
    /// The type of the resource.
    pub kind: Option<String>,
    pub identifier: Option<Identifier>,
}

impl Reference {
    /// `Encounter/7`.
    #[must_use]
    pub fn literal(reference: &str) -> Self {
        Self {
            reference: Some(reference.to_owned()),
            kind: None,
            identifier: None,
        }
    }

    /// By its identifier: no server has to have the resource.
    #[must_use]
    pub fn logical(kind: &str, identifier: Identifier) -> Self {
        Self {
            reference: None,
            kind: Some(kind.to_owned()),
            identifier: Some(identifier),
        }
    }

    /// The patient of a chart, as the facade names them.
    #[must_use]
    pub fn chart(chart: B256) -> Self {
        Self::literal(&format!("Patient/{}", hex::encode(chart)))
    }

    /// An account of a chain (`did:pkh`, CAIP-10), as the facade names it. `kind`: Organization or Practitioner.
    #[must_use]
    pub fn account(kind: &str, chain_id: u64, account: Address) -> Self {
        let identifier = Identifier {
            system: Some(system::URI.to_owned()),
            value: format!("did:pkh:eip155:{chain_id}:0x{}", hex::encode(account)),
        };
        Self::logical(kind, identifier)
    }

    /// A claim on chain.
    #[must_use]
    pub fn claim(claim: B256) -> Self {
        Self::logical("Claim", Identifier::claim(claim))
    }

    /// The account that this names, of whatever chain; of references to other things nothing.
    #[must_use]
    pub fn account_of(&self) -> Option<Address> {
        let identifier = self.identifier.as_ref()?;
        let is_uri = identifier.system.as_deref() == Some(system::URI);
        let (_, account) = identifier.value.strip_prefix("did:pkh:eip155:")?.split_once(":0x")?;
        hex::decode(account)
            .ok()
            .filter(|bytes| is_uri && bytes.len() == 20)
            .map(|bytes| Address::from_slice(&bytes))
    }

    /// The claim on chain that this names.
    #[must_use]
    pub fn claim_of(&self) -> Option<B256> {
        self.identifier.as_ref()?.claim_of()
    }

    /// The chart whose patient this names, as the facade does.
    #[must_use]
    pub fn chart_of(&self) -> Option<B256> {
        let key = self.key()?;
        bytes32(key.strip_prefix("Patient/")?).map(B256::new)
    }

    /// One text for the resource, whichever server and version it is named by: type and id of a literal reference (`Encounter/7`), otherwise
    /// the identifier after its system (`urn:visits|7`). As exact as whoever wrote it.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        if let Some(reference) = &self.reference {
            return match self.literal_parts() {
                Some((kind, id)) => Some(format!("{kind}/{id}")),
                // `urn:uuid:...`, `#contained`.
                None => Some(reference.clone()),
            };
        }
        let identifier = self.identifier.as_ref()?;
        let system = identifier.system.as_deref().unwrap_or_default();
        Some(format!("{system}|{}", identifier.value))
    }

    /// One text for the resource among those that everybody names, where `author` has written this: an identifier with its system is
    /// everybody's, any other name is one of the author's own. `None`: it names nothing outside of its own document (`#nurse`).
    #[must_use]
    pub fn key_beside_others(&self, author: Address) -> Option<String> {
        if let Some(Identifier {
            system: Some(system),
            value,
        }) = &self.identifier
        {
            return Some(format!("{system}|{value}"));
        }
        let own = self.key().filter(|key| !key.starts_with('#'))?;
        Some(format!("{author}|{own}"))
    }

    /// The type of the resource, by the reference's own word or by its address.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        let said = self.kind.as_deref().and_then(|kind| kind.rsplit('/').next());
        said.or_else(|| self.literal_parts().map(|(kind, _)| kind))
    }

    /// (type, id) of a literal reference.
    fn literal_parts(&self) -> Option<(&str, &str)> {
        let unversioned = self.reference.as_ref()?.split("/_history/").next()?;
        let mut parts = unversioned.rsplit('/');
        let (id, kind) = (parts.next()?, parts.next()?);
        (!id.is_empty() && !kind.is_empty()).then_some((kind, id))
    }

    pub(super) fn element(&self) -> Element {
        Element::new()
            .with_some("identifier", self.identifier.as_ref().map(Identifier::element))
            .with_some("reference", self.reference.as_ref())
            .with_some("type", self.kind.as_ref())
    }
}

impl Node<'_> {
    pub(super) fn reference(self) -> Result<Reference, Refused> {
        let object = self.object(&["reference", "type", "identifier", "display"])?;
        let identifier = object.optional("identifier").map(Node::identifier).transpose()?;
        let reference = Reference {
            reference: object.text("reference")?,
            kind: object.text("type")?,
            identifier: identifier.flatten(),
        };
        if reference.reference.is_none() && reference.identifier.is_none() {
            return Err(object.refused_at("reference", Fault::Missing));
        }
        Ok(reference)
    }

    /// `None` where it has no value.
    pub(super) fn identifier(self) -> Result<Option<Identifier>, Refused> {
        let object = self.object(&["use", "type", "system", "value", "period", "assigner"])?;
        let system = object.text("system")?;
        Ok(object.text("value")?.map(|value| Identifier { system, value }))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    pub start: Option<DateTime>,
    pub end: Option<DateTime>,
}

impl Period {
    pub(super) fn element(&self) -> Element {
        Element::new()
            .with_some("end", self.end.as_ref().map(DateTime::as_str))
            .with_some("start", self.start.as_ref().map(DateTime::as_str))
    }
}

impl Node<'_> {
    pub(super) fn period(self) -> Result<Period, Refused> {
        let object = self.object(&["start", "end"])?;
        let time = |name| object.optional(name).map(|node| node.time()).transpose();
        let period = Period {
            start: time("start")?,
            end: time("end")?,
        };
        // An end that is written coarsely is as late as it may be.
        if let (Some(start), Some(end)) = (&period.start, &period.end)
            && end.span().to <= start.span().from
        {
            return Err(object.refused(Fault::Backwards));
        }
        Ok(period)
    }
}

impl Object<'_> {
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        self.optional(name).map(|node| node.text()).transpose()
    }

    pub(super) fn reference(&self, name: &str) -> Result<Option<Reference>, Refused> {
        self.optional(name).map(Node::reference).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_one_key_whichever_server_and_version_it_is_named_by() {
        for same in [
            "Encounter/7",
            "https://a.example/fhir/Encounter/7",
            "Encounter/7/_history/2",
        ] {
            assert_eq!(Reference::literal(same).key().as_deref(), Some("Encounter/7"), "{same}");
        }
        for whole in ["urn:uuid:0f", "#visit", "7", "Encounter/"] {
            assert_eq!(Reference::literal(whole).key().as_deref(), Some(whole));
        }
        let identifier = Identifier {
            system: Some("urn:visits".to_owned()),
            value: "7".to_owned(),
        };
        assert_eq!(
            Reference::logical("Encounter", identifier).key().as_deref(),
            Some("urn:visits|7")
        );
    }

    #[test]
    fn a_person_has_one_key_beside_others_only_by_what_everybody_means_by_it() {
        let (one, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let licence = |system: Option<&str>| Reference {
            reference: Some("Practitioner/7".to_owned()),
            kind: None,
            identifier: Some(Identifier {
                system: system.map(str::to_owned),
                value: "42".to_owned(),
            }),
        };
        let known = licence(Some("urn:licences"));
        assert_eq!(known.key_beside_others(one).as_deref(), Some("urn:licences|42"));
        assert_eq!(known.key_beside_others(one), known.key_beside_others(other));
        // Everybody has a seventh practitioner.
        for own in [licence(None), Reference::literal("Practitioner/7")] {
            assert_ne!(own.key_beside_others(one), own.key_beside_others(other));
        }
        assert_eq!(Reference::literal("#nurse").key_beside_others(one), None);
    }

    #[test]
    fn the_type_of_what_is_named_is_told_by_the_reference_or_its_address() {
        let said = |kind: &str| Reference::logical(kind, Identifier::claim(B256::ZERO));
        for (reference, kind) in [
            (
                Reference::literal("https://a.example/fhir/Practitioner/7"),
                Some("Practitioner"),
            ),
            (said("Organization"), Some("Organization")),
            (
                said("http://hl7.org/fhir/StructureDefinition/Practitioner"),
                Some("Practitioner"),
            ),
            (Reference::literal("urn:uuid:0f"), None),
        ] {
            assert_eq!(reference.resource_type(), kind, "{reference:?}");
        }
    }

    #[test]
    fn a_claim_is_named_by_an_identifier_of_its_system_alone() {
        let claim = B256::repeat_byte(0xa1);
        assert_eq!(Reference::claim(claim).claim_of(), Some(claim));
        for (system, value) in [
            (None, "a1".repeat(32)),
            (Some(system::RECORD), "a1".repeat(32)),
            (Some(system::CLAIM), "A1".repeat(32)),
            (Some(system::CLAIM), "a1".repeat(31)),
        ] {
            let identifier = Identifier {
                system: system.map(str::to_owned),
                value,
            };
            assert_eq!(identifier.claim_of(), None, "{identifier:?}");
        }
    }

    #[test]
    fn accounts_and_charts_are_named_as_the_facade_names_them() {
        let account = Reference::account("Organization", 421_614, Address::repeat_byte(0xab));
        assert_eq!(account.account_of(), Some(Address::repeat_byte(0xab)));
        assert_eq!(account.chart_of(), None);
        let did = format!("did:pkh:eip155:421614:0x{}", "ab".repeat(20));
        assert_eq!(account.key().unwrap(), format!("urn:ietf:rfc:3986|{did}"));
        let chart = Reference::chart(B256::repeat_byte(0x5a));
        assert_eq!(
            (chart.account_of(), chart.chart_of()),
            (None, Some(B256::repeat_byte(0x5a)))
        );
        assert_eq!(Reference::literal("Patient/1").chart_of(), None);
        assert_eq!(chart.key().unwrap(), format!("Patient/{}", "5a".repeat(32)));
    }
}
