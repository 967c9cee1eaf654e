//! Claim: what a provider asks an insurer to pay.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use alloy_primitives::{Address, B256, hex};
use medlock_fhir::facade::bytes32;

use super::{
    Coding, Fault, Identifier, Period, Reference, Refused, Status,
    element::{codes, concept},
    money::{money, sum},
    read::{self, Node, Object},
    system,
    write::{Element, number},
};
use crate::{
    Amount, Service,
    amount::Decimal,
    fingerprint::ServiceError,
    time::{DateTime, Day},
};

/// A claim with attachments inside belongs into records, which the claim links.
pub const CLAIM_BYTES_MAX: usize = 1024 * 1024;
/// A hospital stay's invoice has hundreds of lines.
pub const ITEMS_MAX: usize = 1000;
/// Coverages of one patient.
pub const INSURANCES_MAX: usize = 16;
/// Entries of `supportingInfo`.
const INFORMATION_MAX: usize = 1000;
/// Members of a care team: a hospital stay's whole staff.
pub const CARE_TEAM_MAX: usize = 1000;
/// Encounters of one item: the first counts.
const ENCOUNTERS_MAX: usize = 16;
/// Whoever supervises is in several places at once by right.
const SUPERVISOR: &str = "supervisor";
const PERSONS: [&str; 2] = ["Practitioner", "PractitionerRole"];

codes! {
    /// R4 `claim-type`.
    Kind {
        Institutional = "institutional",
        Oral = "oral",
        Pharmacy = "pharmacy",
        Professional = "professional",
        Vision = "vision",
    }
}

codes! {
    /// R4 `claim-use`. Only a claim is paid.
    Use {
        Claim = "claim",
        Preauthorization = "preauthorization",
        Predetermination = "predetermination",
    }
}

/// What a claim is decided by. Amounts are of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub status: Status,
    pub kind: Kind,
    pub purpose: Use,
    pub patient: Reference,
    pub created: DateTime,
    /// R4 leaves it open; on this ledger a claim goes to one insurer.
    pub insurer: Reference,
    pub provider: Reference,
    /// How urgent it is; mostly of [`system::PRIORITY`].
    pub priority: Coding,
    pub care_team: Vec<CareTeamMember>,
    pub insurance: Vec<Insurance>,
    pub items: Vec<Item>,
    /// The sum of the items' net amounts, whether it was written or not.
    pub total: Amount,
    /// Records of the chart that the claim rests on, out of `supportingInfo`.
    pub records: Vec<RecordRef>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insurance {
    pub sequence: u32,
    /// This coverage is the one that the claim is judged by.
    pub focal: bool,
    pub coverage: Reference,
}

/// Who took part in rendering the items that name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareTeamMember {
    pub sequence: u32,
    pub provider: Reference,
    /// A code of [`system::CARE_TEAM_ROLE`]; those of other systems are not kept.
    pub role: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub sequence: u32,
    /// Numbers of [`Claim::care_team`].
    pub care_team: Vec<u32>,
    /// Translations of one code; one at least.
    pub codes: Vec<Coding>,
    pub serviced: Option<Serviced>,
    pub quantity: Option<Decimal>,
    pub unit_price: Option<Amount>,
    pub factor: Option<Decimal>,
    /// As it was written or, where it was not, quantity times unit price times factor, where that is exact.
    pub net: Amount,
    pub encounter: Option<Reference>,
}

/// When it was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serviced {
    /// A year, a month or a day.
    Date(DateTime),
    Period(Period),
}

/// A record of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    pub chart: B256,
    pub record_id: B256,
}

const KNOWN: [&str; 26] = [
    "status",
    "type",
    "subType",
    "use",
    "patient",
    "billablePeriod",
    "created",
    "enterer",
    "insurer",
    "provider",
    "priority",
    "fundsReserve",
    "related",
    "prescription",
    "originalPrescription",
    "payee",
    "referral",
    "facility",
    "careTeam",
    "supportingInfo",
    "diagnosis",
    "procedure",
    "insurance",
    "accident",
    "item",
    "total",
];

pub(super) const KNOWN_OF_ITEM: [&str; 24] = [
    "sequence",
    "careTeamSequence",
    "diagnosisSequence",
    "procedureSequence",
    "informationSequence",
    "revenue",
    "category",
    "productOrService",
    "modifier",
    "programCode",
    "servicedDate",
    "servicedPeriod",
    "locationCodeableConcept",
    "locationAddress",
    "locationReference",
    "quantity",
    "unitPrice",
    "factor",
    "net",
    "udi",
    "bodySite",
    "subSite",
    "encounter",
    "detail",
];

impl Claim {
    /// Reads a Claim of R4.
    ///
    /// # Errors
    /// [`Refused`]: where, and why.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let object = read::resource(bytes, CLAIM_BYTES_MAX, "Claim", &KNOWN)?;
        let status = Status::read(&object.required("status")?)?;
        let kind = read_kind(&object)?;
        let purpose = Use::read(&object.required("use")?)?;
        let patient = object.required("patient")?.reference()?;
        let created = object.required("created")?.time()?;
        let insurer = object.required("insurer")?.reference()?;
        let provider = object.required("provider")?.reference()?;
        let priority = object.required("priority")?.codings()?.into_iter().next();
        let priority = priority.ok_or_else(|| object.refused_at("priority.coding.code", Fault::Missing))?;
        let insurance = read_insurance(&object)?;
        let items = read_items(&object)?;
        let sum = sum(items.iter().map(|item| item.net)).map_err(|fault| object.refused_at("item", fault))?;
        let sum = sum.ok_or_else(|| object.refused_at("item", Fault::NoItem))?;
        if let Some(total) = object.money("total")? {
            if total.currency != sum.currency {
                return Err(object.refused_at("total", Fault::TwoCurrencies));
            }
            if total != sum {
                return Err(object.refused_at("total", Fault::Sum));
            }
        }
        Ok(Self {
            status,
            kind,
            purpose,
            patient,
            created,
            insurer,
            provider,
            priority,
            care_team: read_care_team(&object)?,
            insurance,
            items,
            total: sum,
            records: read_records(&object)?,
        })
    }

    /// A Claim of R4 that [`Claim::read`] reads as this one.
    ///
    /// # Errors
    /// [`Refused`], of what cannot stand in a Claim.
    pub fn write(&self) -> Result<String, Refused> {
        let kind = Coding::new(system::CLAIM_TYPE, self.kind.code());
        let json = Element::resource("Claim")
            .with("status", self.status.code())
            .with("type", concept([&kind]))
            .with("use", self.purpose.code())
            .with("patient", self.patient.element())
            .with("created", self.created.as_str())
            .with("insurer", self.insurer.element())
            .with("provider", self.provider.element())
            .with("priority", concept([&self.priority]))
            .with_all("careTeam", self.care_team.iter().map(CareTeamMember::element))
            .with_all("insurance", self.insurance.iter().map(Insurance::element))
            .with_all("item", self.items.iter().map(Item::element))
            .with("total", money(self.total))
            .with_all("supportingInfo", (1..).zip(&self.records).map(information))
            .to_json();
        Self::read(json.as_bytes())?;
        Ok(json)
    }

    /// The item that the claim is for: the one of the lowest sequence. Others are what goes with it.
    #[must_use]
    pub fn principal(&self) -> Option<&Item> {
        self.items.iter().min_by_key(|item| item.sequence)
    }

    /// The service that the claim's fingerprint is of, where `provider` is the account that claims: encounter, first code with a system, and
    /// day (of a period, its first) of the principal item.
    ///
    /// # Errors
    /// [`ServiceError::Unnamed`]; as [`Service::new`].
    pub fn service(&self, provider: Address) -> Result<Service, ServiceError> {
        let item = self.principal().ok_or(ServiceError::Unnamed { field: "item" })?;
        item.service(provider)
    }

    /// The services of its items, by the items' numbers; an item that names none can be compared with no other.
    #[must_use]
    pub fn services(&self, provider: Address) -> BTreeMap<u32, Service> {
        let items = self.items.iter();
        items
            .filter_map(|item| Some((item.sequence, item.service(provider).ok()?)))
            .collect()
    }

    /// The numbers of two items that are one service, where there are such: nobody but who opens the document sees that.
    #[must_use]
    pub fn repeated(&self, provider: Address) -> Option<(u32, u32)> {
        let mut seen = HashMap::new();
        let mut services = self.services(provider).into_iter();
        services.find_map(|(number, service)| seen.insert(service, number).map(|first| (first, number)))
    }

    /// The persons who rendered one of its items, each by one text ([`Reference::key_beside_others`], `author` being the account that claims):
    /// those whom the item names of the care team, or the one that the team has; without a team the provider. Who supervises is in several
    /// places at once by right, and so is every organisation: where none but those are named, nobody is.
    #[must_use]
    pub fn performers(&self, item: &Item, author: Address) -> BTreeSet<String> {
        let key = |reference: &Reference| reference.key_beside_others(author);
        if self.care_team.is_empty() {
            let is_person = self.provider.resource_type().is_some_and(is_person);
            return key(&self.provider).filter(|_| is_person).into_iter().collect();
        }
        let renders = |member: &&CareTeamMember| {
            let is_person = member.provider.resource_type().is_none_or(is_person);
            is_person && member.role.as_deref() != Some(SUPERVISOR)
        };
        let team: Vec<_> = self.care_team.iter().filter(renders).collect();
        let is_only = item.care_team.is_empty() && team.len() == 1;
        let members = team.into_iter();
        members
            .filter(|member| is_only || item.care_team.contains(&member.sequence))
            .filter_map(|member| key(&member.provider))
            .collect()
    }
}

fn is_person(kind: &str) -> bool {
    PERSONS.contains(&kind)
}

impl Item {
    /// What is billed with it, where `provider` is the account that claims: as [`Claim::service`].
    ///
    /// # Errors
    /// [`ServiceError::Unnamed`]; as [`Service::new`].
    pub fn service(&self, provider: Address) -> Result<Service, ServiceError> {
        let unnamed = |field| ServiceError::Unnamed { field };
        let encounter = self.encounter.as_ref().and_then(Reference::key);
        let (system, code) = self.code().ok_or(unnamed("code"))?;
        let day = self.day().ok_or(unnamed("day"))?;
        Service::new(
            &encounter.ok_or(unnamed("encounter"))?,
            system,
            code,
            day.as_str(),
            provider,
        )
    }

    /// (system, code): the first code that has a system.
    #[must_use]
    pub fn code(&self) -> Option<(&str, &str)> {
        let mut codes = self.codes.iter();
        codes.find_map(|coding| Some((coding.system.as_deref()?, coding.code.as_str())))
    }

    /// On which it was rendered, or begun.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        match self.serviced.as_ref()? {
            Serviced::Date(date) => date.day(),
            Serviced::Period(period) => period.start.as_ref()?.day(),
        }
    }

    fn read(node: Node<'_>) -> Result<Self, Refused> {
        Self::of(&node.object(&KNOWN_OF_ITEM)?)
    }

    /// An ExplanationOfBenefit has these elements by the same names.
    pub(super) fn of(object: &Object<'_>) -> Result<Self, Refused> {
        let codes = object.required("productOrService")?.codings()?;
        if codes.is_empty() {
            return Err(object.refused_at("productOrService.coding.code", Fault::Missing));
        }
        let encounters = object.list("encounter", ENCOUNTERS_MAX)?.into_iter();
        let encounters = encounters.map(Node::reference).collect::<Result<Vec<_>, _>>()?;
        let quantity = object.optional("quantity").map(read_quantity).transpose()?;
        let (unit_price, factor) = (object.money("unitPrice")?, object.decimal("factor")?);
        let team = object.list("careTeamSequence", CARE_TEAM_MAX)?;
        Ok(Self {
            sequence: object.required("sequence")?.positive()?,
            care_team: team.iter().map(Node::positive).collect::<Result<_, _>>()?,
            codes,
            serviced: read_serviced(object)?,
            quantity,
            unit_price,
            factor,
            net: read_net(object, quantity, unit_price, factor)?,
            encounter: encounters.into_iter().next(),
        })
    }

    pub(super) fn element(&self) -> Element {
        let (date, period) = match &self.serviced {
            Some(Serviced::Date(date)) => (Some(date.as_str()), None),
            Some(Serviced::Period(period)) => (None, Some(period.element())),
            None => (None, None),
        };
        let decimal = |decimal: Decimal| number(decimal.to_string());
        Element::new()
            .with("sequence", self.sequence)
            .with_all("careTeamSequence", &self.care_team)
            .with("productOrService", concept(&self.codes))
            .with_some("servicedDate", date)
            .with_some("servicedPeriod", period)
            .with_some(
                "quantity",
                self.quantity
                    .map(|quantity| Element::new().with("value", decimal(quantity))),
            )
            .with_some("unitPrice", self.unit_price.map(money))
            .with_some("factor", self.factor.map(decimal))
            .with("net", money(self.net))
            .with_all("encounter", self.encounter.iter().map(Reference::element))
    }
}

impl Insurance {
    fn element(&self) -> Element {
        Element::new()
            .with("sequence", self.sequence)
            .with("focal", self.focal)
            .with("coverage", self.coverage.element())
    }
}

impl CareTeamMember {
    pub(super) fn element(&self) -> Element {
        let role = self.role.as_ref().map(|role| Coding::new(system::CARE_TEAM_ROLE, role));
        Element::new()
            .with("sequence", self.sequence)
            .with("provider", self.provider.element())
            .with_some("role", role.as_ref().map(|role| concept([role])))
    }
}

pub(super) fn read_kind(object: &Object<'_>) -> Result<Kind, Refused> {
    let codings = object.required("type")?.codings()?;
    let mut codes = codings.iter().filter_map(|coding| coding.code_of(system::CLAIM_TYPE));
    let kind = codes.next().and_then(Kind::of);
    kind.ok_or_else(|| object.refused_at("type", Fault::Code { allowed: Kind::CODES }))
}

pub(super) fn read_care_team(object: &Object<'_>) -> Result<Vec<CareTeamMember>, Refused> {
    let known = ["sequence", "provider", "responsible", "role", "qualification"];
    let mut team = Vec::new();
    for node in object.list("careTeam", CARE_TEAM_MAX)? {
        let member = node.object(&known)?;
        let roles = member.optional("role").map(Node::codings).transpose()?;
        let roles = roles.unwrap_or_default();
        let mut roles = roles.iter().filter_map(|coding| coding.code_of(system::CARE_TEAM_ROLE));
        team.push(CareTeamMember {
            sequence: member.required("sequence")?.positive()?,
            provider: member.required("provider")?.reference()?,
            role: roles.next().map(str::to_owned),
        });
    }
    check_sequences(object, "careTeam", team.iter().map(|member| member.sequence))?;
    Ok(team)
}

fn read_insurance(object: &Object<'_>) -> Result<Vec<Insurance>, Refused> {
    let known = [
        "sequence",
        "focal",
        "identifier",
        "coverage",
        "businessArrangement",
        "preAuthRef",
        "claimResponse",
    ];
    let mut all = Vec::new();
    for node in object.list("insurance", INSURANCES_MAX)? {
        let insurance = node.object(&known)?;
        all.push(Insurance {
            sequence: insurance.required("sequence")?.positive()?,
            focal: insurance.required("focal")?.boolean()?,
            coverage: insurance.required("coverage")?.reference()?,
        });
    }
    if all.is_empty() {
        return Err(object.refused_at("insurance", Fault::Missing));
    }
    check_sequences(object, "insurance", all.iter().map(|insurance| insurance.sequence))?;
    if all.iter().filter(|insurance| insurance.focal).count() != 1 {
        return Err(object.refused_at("insurance", Fault::Focal));
    }
    Ok(all)
}

fn read_items(object: &Object<'_>) -> Result<Vec<Item>, Refused> {
    let nodes = object.list("item", ITEMS_MAX)?.into_iter();
    let items = nodes.map(Item::read).collect::<Result<Vec<_>, _>>()?;
    check_sequences(object, "item", items.iter().map(|item| item.sequence))?;
    Ok(items)
}

pub(super) fn check_sequences(
    object: &Object<'_>,
    name: &str,
    mut sequences: impl Iterator<Item = u32>,
) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    if sequences.all(|sequence| seen.insert(sequence)) {
        Ok(())
    } else {
        Err(object.refused_at(&format!("{name}.sequence"), Fault::Sequence))
    }
}

fn read_quantity(node: Node<'_>) -> Result<Decimal, Refused> {
    node.object(&["value", "unit", "system", "code"])?
        .required("value")?
        .decimal()
}

fn read_serviced(object: &Object<'_>) -> Result<Option<Serviced>, Refused> {
    match (object.optional("servicedDate"), object.optional("servicedPeriod")) {
        (None, None) => Ok(None),
        (Some(date), None) => {
            let time = date.time()?;
            if time.is_exact() {
                return Err(date.refused(Fault::Time));
            }
            Ok(Some(Serviced::Date(time)))
        }
        (None, Some(period)) => Ok(Some(Serviced::Period(period.period()?))),
        // `serviced[x]` is one element.
        (Some(_), Some(period)) => Err(period.refused(Fault::Twice)),
    }
}

/// Net is what R4 says that it is, but for the rounding of what the currency cannot pay.
fn read_net(
    object: &Object<'_>,
    quantity: Option<Decimal>,
    unit_price: Option<Amount>,
    factor: Option<Decimal>,
) -> Result<Amount, Refused> {
    let net = object.money("net")?;
    let Some(unit_price) = unit_price else {
        return net.ok_or_else(|| object.refused_at("net", Fault::NoNet));
    };
    let mut product = Some(Decimal::from(unit_price));
    for times in [quantity, factor].into_iter().flatten() {
        product = product.and_then(|product| product.checked_mul(times));
    }
    let product = product.ok_or_else(|| object.refused(crate::AmountError::Overflow))?;
    match net {
        None => product
            .to_amount(unit_price.currency)
            .ok_or_else(|| object.refused_at("net", Fault::NoNet)),
        Some(net) if net.currency != unit_price.currency => Err(object.refused_at("unitPrice", Fault::TwoCurrencies)),
        Some(net) if product.rounds_to(net) == Some(true) => Ok(net),
        Some(_) => Err(object.refused_at("net", Fault::Product)),
    }
}

/// What else supports a claim is the insurer's to read.
fn read_records(object: &Object<'_>) -> Result<Vec<RecordRef>, Refused> {
    let known = [
        "sequence",
        "category",
        "code",
        "timingDate",
        "timingPeriod",
        "valueBoolean",
        "valueString",
        "valueQuantity",
        "valueAttachment",
        "valueReference",
        "reason",
    ];
    let (mut records, mut sequences) = (Vec::new(), Vec::new());
    for node in object.list("supportingInfo", INFORMATION_MAX)? {
        let information = node.object(&known)?;
        sequences.push(information.required("sequence")?.positive()?);
        information.required("category")?.codings()?;
        let Some(node) = information.optional("valueReference") else {
            continue;
        };
        let reference = node.reference()?;
        let of_ours = |identifier: &Identifier| identifier.system.as_deref() == Some(system::RECORD);
        if let Some(identifier) = reference.identifier.filter(of_ours) {
            let expected = "a chart and a record, each 64 lower-case hex digits, with a point between them";
            let record = RecordRef::parse(&identifier.value);
            let refused = || information.refused_at("valueReference.identifier.value", Fault::Type { expected });
            records.push(record.ok_or_else(refused)?);
        }
    }
    check_sequences(object, "supportingInfo", sequences.into_iter())?;
    Ok(records)
}

fn information((sequence, record): (u32, &RecordRef)) -> Element {
    let identifier = Identifier {
        system: Some(system::RECORD.to_owned()),
        value: format!("{}.{}", hex::encode(record.chart), hex::encode(record.record_id)),
    };
    Element::new()
        .with("sequence", sequence)
        .with(
            "category",
            concept([&Coding::new(system::INFORMATION_CATEGORY, "info")]),
        )
        .with(
            "valueReference",
            Reference::logical("DocumentReference", identifier).element(),
        )
}

impl RecordRef {
    /// As the facade identifies records: `<chart>.<record>`.
    fn parse(text: &str) -> Option<Self> {
        let (chart, record_id) = text.split_once('.')?;
        Some(Self {
            chart: bytes32(chart)?.into(),
            record_id: bytes32(record_id)?.into(),
        })
    }
}
