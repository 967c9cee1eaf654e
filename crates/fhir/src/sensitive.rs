//! What is set apart from the rest of a chart.
//!
//! Laws and customs single out mental health, substance use, sexual and
//! reproductive health, HIV and other sexually transmitted infections, violence,
//! and genetics. A resource is held to be about one of them if
//! - its source labelled it so (`meta.security`: HL7 Confidentiality R or V, or an
//!   information sensitivity code), or the whole Bundle;
//! - it carries one of a few codes below (SNOMED CT, LOINC, ICD-10);
//! - one of its texts, a narrative or an attached text included, has one of the
//!   words below;
//! - it is a social history, a survey, or a genetic sequence;
//! - it refers to a resource that is (a claim for a procedure, a note on a visit).
//!
//! The lists are short, not complete, and meant to err on the private side: "no
//! history of depression" and "abuse-deterrent tablet" are set apart as well.
//! A patient can move a record; nobody can take back one that was shown.
//! They do not read ICD-9, scanned pages, or languages other than English.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::describe;
use crate::json::Json;

/// Why a resource is sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The source says so in `meta.security`.
    Labelled,
    MentalHealth,
    SubstanceUse,
    /// Sexual and reproductive health, sexually transmitted infections, gender.
    SexualHealth,
    Hiv,
    Violence,
    Genetics,
    /// Social history, surveys and questionnaires.
    SocialHistory,
    /// It refers to a resource that is sensitive.
    Related,
}

impl Topic {
    /// The name in commands and JSON, in kebab-case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::MentalHealth => "mental-health",
            Self::SubstanceUse => "substance-use",
            Self::SexualHealth => "sexual-health",
            Self::Hiv => "hiv",
            Self::Violence => "violence",
            Self::Genetics => "genetics",
            Self::SocialHistory => "social-history",
            Self::Related => "related",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

use Topic::{Genetics, Hiv, Labelled, MentalHealth, SexualHealth, SocialHistory, SubstanceUse, Violence};

/// HL7 v3 ActCode, information sensitivity policies.
/// <https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html>
const SECURITY_CODES: [&str; 33] = [
    "ALC",
    "ALCSUD",
    "BEHAV",
    "BH",
    "COGN",
    "CONDOMETH",
    "DEMENT",
    "DVD",
    "EATDIS",
    "EMOTDIS",
    "ETH",
    "ETHUD",
    "GDIS",
    "GENDER",
    "HIV",
    "MARST",
    "MH",
    "MST",
    "OPIOIDUD",
    "PREGNANT",
    "PSY",
    "PSYTHPN",
    "SCA",
    "SDV",
    "SEX",
    "SEXASLT",
    "SPI",
    "STD",
    "STIGMA",
    "SUD",
    "TBOO",
    "VIO",
    "VIOLENCE",
];

/// SNOMED CT concepts.
const SNOMED: [(&str, Topic); 64] = [
    ("13746004", MentalHealth),        // bipolar disorder
    ("171207006", MentalHealth),       // depression screening
    ("192127007", MentalHealth),       // child attention deficit disorder
    ("197480006", MentalHealth),       // anxiety disorder
    ("21897009", MentalHealth),        // generalized anxiety disorder
    ("225337009", MentalHealth),       // suicide risk assessment
    ("225444004", MentalHealth),       // at risk for suicide
    ("35489007", MentalHealth),        // depressive disorder
    ("36923009", MentalHealth),        // major depression, single episode
    ("370143000", MentalHealth),       // major depressive disorder
    ("44301001", MentalHealth),        // suicide
    ("47505003", MentalHealth),        // posttraumatic stress disorder
    ("48694002", MentalHealth),        // anxiety
    ("58214004", MentalHealth),        // schizophrenia
    ("6471006", MentalHealth),         // suicidal thoughts
    ("69322001", MentalHealth),        // psychotic disorder
    ("710841007", MentalHealth),       // assessment of anxiety
    ("715252007", MentalHealth),       // depression screening, PHQ-9
    ("72366004", MentalHealth),        // eating disorder
    ("73595000", MentalHealth),        // stress
    ("74732009", MentalHealth),        // mental disorder
    ("76168009", MentalHealth),        // group psychotherapy
    ("80583007", MentalHealth),        // severe anxiety (panic)
    ("88848003", MentalHealth),        // psychiatric follow-up
    ("1149222004", SubstanceUse),      // overdose
    ("15167005", SubstanceUse),        // alcohol abuse
    ("191816009", SubstanceUse),       // drug dependence
    ("313071005", SubstanceUse),       // counseling for substance abuse
    ("408935001", SubstanceUse),       // substance abuse prevention education
    ("428211000124100", SubstanceUse), // assessment of substance use
    ("5602001", SubstanceUse),         // opioid abuse
    ("6525002", SubstanceUse),         // dependent drug abuse
    ("66214007", SubstanceUse),        // substance abuse
    ("66590003", SubstanceUse),        // alcohol dependence
    ("713106006", SubstanceUse),       // screening for drug abuse
    ("7200002", SubstanceUse),         // alcoholism
    ("75544000", SubstanceUse),        // opioid dependence
    ("763302001", SubstanceUse),       // AUDIT-C
    ("868187001", SubstanceUse),       // CRAFFT screening
    ("10383002", SexualHealth),        // counseling for termination of pregnancy
    ("15628003", SexualHealth),        // gonorrhea
    ("156073000", SexualHealth),       // complete miscarriage
    ("169553002", SexualHealth),       // insertion of subcutaneous contraceptive
    ("19169002", SexualHealth),        // miscarriage in first trimester
    ("389095005", SexualHealth),       // contraception care
    ("47200007", SexualHealth),        // high risk pregnancy
    ("65200003", SexualHealth),        // insertion of intrauterine contraceptive device
    ("714812005", SexualHealth),       // induced termination of pregnancy
    ("72892002", SexualHealth),        // normal pregnancy
    ("76272004", SexualHealth),        // syphilis
    ("77386006", SexualHealth),        // pregnancy
    ("79586000", SexualHealth),        // tubal pregnancy
    ("8098009", SexualHealth),         // sexually transmitted infectious disease
    ("8619003", SexualHealth),         // infertile
    ("93461009", SexualHealth),        // gender dysphoria
    ("165815009", Hiv),                // HIV not detected: that it was looked for
    ("165816005", Hiv),                // HIV detected
    ("171121004", Hiv),                // HIV screening
    ("313077009", Hiv),                // HIV counseling
    ("62479008", Hiv),                 // AIDS
    ("86406008", Hiv),                 // HIV infection
    ("424393004", Violence),           // reports of violence in the environment
    ("706893006", Violence),           // victim of intimate partner abuse
    ("866148006", Violence),           // screening for domestic abuse
];

/// LOINC terms.
const LOINC: [(&str, Topic); 29] = [
    ("44249-1", MentalHealth), // PHQ-9 panel
    ("44261-6", MentalHealth), // PHQ-9 total score
    ("55757-9", MentalHealth), // PHQ-2 panel
    ("55758-7", MentalHealth), // PHQ-2 total score
    ("69737-5", MentalHealth), // GAD-7 panel
    ("70274-6", MentalHealth), // GAD-7 total score
    ("71966-6", MentalHealth), // PROMIS-29 depression
    ("71968-2", MentalHealth), // PROMIS-29 anxiety
    ("87626-8", MentalHealth), // suicide prevention note
    ("89204-2", MentalHealth), // PHQ-9 for teens, total score
    ("89206-7", MentalHealth), // PHQ-9 for teens
    ("65750-2", SubstanceUse), // drugs of abuse 5 panel, urine
    ("72109-2", SubstanceUse), // AUDIT-C
    ("75626-2", SubstanceUse), // AUDIT-C total score
    ("82666-9", SubstanceUse), // DAST-10
    ("82667-7", SubstanceUse), // DAST-10 total score
    ("2106-3", SexualHealth),  // choriogonadotropin, urine
    ("2118-8", SexualHealth),  // choriogonadotropin, serum
    ("76690-7", SexualHealth), // sexual orientation
    ("76691-5", SexualHealth), // gender identity
    ("82810-3", SexualHealth), // pregnancy status
    ("20447-9", Hiv),          // HIV 1 RNA
    ("55277-8", Hiv),          // HIV status
    ("56888-1", Hiv),          // HIV 1+2 Ab and HIV 1 p24 Ag
    ("75622-1", Hiv),          // HIV 1 and 2 tests
    ("7917-8", Hiv),           // HIV 1 Ab
    ("28245-9", Violence),     // abuse status
    ("76501-6", Violence),     // afraid of partner
    ("76504-0", Violence),     // HARK total score
];

/// ICD-10 and ICD-10-CM: codes that begin so.
const ICD10: [(&str, Topic); 36] = [
    ("F1", SubstanceUse),
    ("F", MentalHealth),
    ("R45.85", MentalHealth), // suicidal and homicidal ideation
    ("T14.91", MentalHealth), // suicide attempt
    ("X6", MentalHealth),     // intentional self-harm (X60-X84)
    ("X7", MentalHealth),
    ("X80", MentalHealth),
    ("X81", MentalHealth),
    ("X82", MentalHealth),
    ("X83", MentalHealth),
    ("X84", MentalHealth),
    ("Z91.5", MentalHealth), // history of self-harm
    ("T40", SubstanceUse),   // poisoning by narcotics
    ("Z71.4", SubstanceUse),
    ("Z71.5", SubstanceUse),
    ("Z72.2", SubstanceUse),
    ("A5", SexualHealth), // infections with a predominantly sexual mode of transmission
    ("A60", SexualHealth),
    ("A63", SexualHealth),
    ("A64", SexualHealth),
    ("N46", SexualHealth), // infertility
    ("N97", SexualHealth),
    ("O", SexualHealth), // pregnancy, childbirth
    ("Z11.3", SexualHealth),
    ("Z20.2", SexualHealth),
    ("Z3", SexualHealth), // contraception, pregnancy
    ("Z70", SexualHealth),
    ("Z72.5", SexualHealth),
    ("B2", Hiv), // B20-B24
    ("Z11.4", Hiv),
    ("Z20.6", Hiv),
    ("Z21", Hiv),
    ("T74", Violence), // maltreatment, abuse
    ("T76", Violence),
    ("Y07", Violence),
    ("Z63.0", Violence),
];

/// Words in texts. A trailing `*` stands for any ending; several words must
/// follow one another.
const WORDS: [(&str, Topic); 128] = [
    ("adhd", MentalHealth),
    ("anorexia nervosa", MentalHealth),
    ("antidepress*", MentalHealth),
    ("antipsychotic*", MentalHealth),
    ("anxiety", MentalHealth),
    ("attention deficit", MentalHealth),
    ("autis*", MentalHealth),
    ("behavioral health", MentalHealth),
    ("bipolar", MentalHealth),
    ("bulimi*", MentalHealth),
    ("depress*", MentalHealth),
    ("eating disorder*", MentalHealth),
    ("gad 7", MentalHealth),
    ("mental disorder*", MentalHealth),
    ("mental health", MentalHealth),
    ("panic", MentalHealth),
    ("personality disorder*", MentalHealth),
    ("phq", MentalHealth),
    ("posttraumatic", MentalHealth),
    ("post traumatic stress", MentalHealth),
    ("psychia*", MentalHealth),
    ("psycho*", MentalHealth),
    ("ptsd", MentalHealth),
    ("schizo*", MentalHealth),
    ("self harm", MentalHealth),
    ("self inflicted", MentalHealth),
    ("stress finding", MentalHealth),
    ("stress level", MentalHealth),
    ("suicid*", MentalHealth),
    // Medicines that are hardly given for anything else.
    ("alprazolam", MentalHealth),
    ("aripiprazole", MentalHealth),
    ("atomoxetine", MentalHealth),
    ("bupropion", MentalHealth),
    ("buspirone", MentalHealth),
    ("citalopram", MentalHealth),
    ("clozapine", MentalHealth),
    ("escitalopram", MentalHealth),
    ("fluoxetine", MentalHealth),
    ("haloperidol", MentalHealth),
    ("lithium", MentalHealth),
    ("lorazepam", MentalHealth),
    ("methylphenidate", MentalHealth),
    ("mirtazapine", MentalHealth),
    ("olanzapine", MentalHealth),
    ("paroxetine", MentalHealth),
    ("quetiapine", MentalHealth),
    ("risperidone", MentalHealth),
    ("sertraline", MentalHealth),
    ("trazodone", MentalHealth),
    ("venlafaxine", MentalHealth),
    ("addict*", SubstanceUse),
    ("alcohol*", SubstanceUse),
    ("cannabis", SubstanceUse),
    ("cocaine", SubstanceUse),
    ("crafft", SubstanceUse),
    ("detoxification", SubstanceUse),
    ("drug abuse", SubstanceUse),
    ("drug dependence", SubstanceUse),
    ("drug misuse", SubstanceUse),
    ("drug use", SubstanceUse),
    ("heroin", SubstanceUse),
    ("intoxicat*", SubstanceUse),
    ("marijuana", SubstanceUse),
    ("methamphetamine", SubstanceUse),
    ("opioid*", SubstanceUse),
    ("overdose", SubstanceUse),
    ("relax alone forget", SubstanceUse), // CRAFFT written out
    ("substance abuse", SubstanceUse),
    ("substance dependence", SubstanceUse),
    ("substance misuse", SubstanceUse),
    ("substance use", SubstanceUse),
    ("acamprosate", SubstanceUse),
    ("buprenorphine", SubstanceUse),
    ("disulfiram", SubstanceUse),
    ("methadone", SubstanceUse),
    ("naloxone", SubstanceUse),
    ("naltrexone", SubstanceUse),
    ("abortion*", SexualHealth),
    ("antenatal", SexualHealth),
    ("chlamydia*", SexualHealth),
    ("contracept*", SexualHealth),
    ("erectile", SexualHealth),
    ("fetal", SexualHealth),
    ("fetus", SexualHealth),
    ("gender dysphoria", SexualHealth),
    ("gender identity", SexualHealth),
    ("genital herpes", SexualHealth),
    ("gonorrh*", SexualHealth),
    ("infertil*", SexualHealth),
    ("intrauterine", SexualHealth),
    ("miscarriage*", SexualHealth),
    ("obstetric*", SexualHealth),
    ("pregnan*", SexualHealth),
    ("prenatal", SexualHealth),
    ("sexual*", SexualHealth),
    ("syphilis", SexualHealth),
    ("transgender", SexualHealth),
    ("tubal ligation", SexualHealth),
    ("vasectomy", SexualHealth),
    ("ethinyl", SexualHealth),
    ("etonogestrel", SexualHealth),
    ("levonorgestrel", SexualHealth),
    ("medroxyprogesterone", SexualHealth),
    ("mifepristone", SexualHealth),
    ("norethindrone", SexualHealth),
    ("acquired immune*", Hiv),
    ("antiretroviral*", Hiv),
    ("hiv", Hiv),
    ("human immunodeficiency virus", Hiv),
    ("pre exposure prophylaxis", Hiv),
    ("abacavir", Hiv),
    ("dolutegravir", Hiv),
    ("efavirenz", Hiv),
    ("emtricitabine", Hiv),
    ("raltegravir", Hiv),
    ("tenofovir", Hiv),
    ("zidovudine", Hiv),
    ("abuse", Violence),
    ("afraid of your partner", Violence),
    ("assault*", Violence),
    ("battered", Violence),
    ("homicid*", Violence),
    ("human trafficking", Violence),
    ("incest", Violence),
    ("maltreatment", Violence),
    ("rape", Violence),
    ("torture", Violence),
    ("violen*", Violence),
];

/// Observations under social history that everybody who treats a patient asks for:
/// tobacco use.
const NOT_PRIVATE: [&str; 4] = ["72166-2", "11367-0", "81229-7", "88031-0"];

/// Finds what is sensitive. Remembers texts, which repeat a lot within a Bundle.
#[derive(Default)]
pub(crate) struct Classifier {
    texts: HashMap<String, Option<Topic>>,
}

impl Classifier {
    /// What makes this resource sensitive by itself.
    pub fn topic(&mut self, resource_type: &str, resource: &Json) -> Option<Topic> {
        if is_labelled(resource) {
            return Some(Labelled);
        }
        if let Some(topic) = code_topic(resource) {
            return Some(topic);
        }
        if let Some(topic) = self.text_topic(resource) {
            return Some(topic);
        }
        match resource_type {
            "MolecularSequence" => Some(Genetics),
            "QuestionnaireResponse" => Some(SocialHistory),
            "Observation" => {
                let codes = describe::codes(resource.get("code"));
                let everyday = codes.iter().any(|code| NOT_PRIVATE.contains(code));
                let social = describe::codes(resource.get("category"))
                    .iter()
                    .any(|category| matches!(*category, "social-history" | "survey"));
                (social && !everyday).then_some(SocialHistory)
            }
            _ => None,
        }
    }

    fn text_topic(&mut self, resource: &Json) -> Option<Topic> {
        let mut topics = Vec::new();
        resource.objects(&mut |object| {
            for (name, value) in object {
                match (name.as_str(), value) {
                    // Names of things, not words about them.
                    ("id" | "reference" | "system" | "url" | "profile" | "contentType", _) => {}
                    ("data", Json::Text(data)) => {
                        let text = attached_text(object, data);
                        topics.push(text.and_then(|text| word_topic(&text)));
                    }
                    (_, value) => {
                        for item in value.items() {
                            if let Json::Text(text) = item {
                                topics.push(self.known_word_topic(text));
                            }
                        }
                    }
                }
            }
        });
        topics.into_iter().flatten().min()
    }

    fn known_word_topic(&mut self, text: &str) -> Option<Topic> {
        if let Some(topic) = self.texts.get(text) {
            return *topic;
        }
        let topic = word_topic(text);
        self.texts.insert(text.to_owned(), topic);
        topic
    }
}

/// `meta.security`: HL7 Confidentiality restricted or very restricted, or a sensitivity code.
pub(crate) fn is_labelled(resource: &Json) -> bool {
    let labels = resource.get("meta").and_then(|meta| meta.get("security"));
    labels.map_or(&[][..], Json::items).iter().any(|label| {
        let code = label.text("code").unwrap_or_default();
        // A label without a system is taken at its word.
        let system = label.text("system").unwrap_or("Confidentiality");
        SECURITY_CODES.contains(&code) || matches!(code, "R" | "V") && system.contains("Confidentiality")
    })
}

/// The topic of any Coding anywhere in the resource. A code means something only
/// within its system: 2106-3 is a pregnancy test in LOINC, and "white" in CDC's
/// list of races.
fn code_topic(resource: &Json) -> Option<Topic> {
    let mut topic = None;
    resource.objects(&mut |object| {
        let (Some(Json::Text(system)), Some(Json::Text(code))) = (object.get("system"), object.get("code")) else {
            return;
        };
        let exact = |table: &[(&str, Topic)]| table.iter().find(|(known, _)| known == code).map(|(_, topic)| *topic);
        let found = if system.contains("snomed") {
            exact(&SNOMED)
        } else if system.contains("loinc") {
            exact(&LOINC)
        } else if system.contains("icd-10") {
            ICD10
                .iter()
                .find(|(start, _)| code.starts_with(start))
                .map(|(_, topic)| *topic)
        } else {
            None
        };
        topic = topic.or(found);
    });
    topic
}

/// The topic of the first word of [`WORDS`] in `text`.
fn word_topic(text: &str) -> Option<Topic> {
    // " word word word ": then whole words and beginnings of words are substrings.
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for c in text.chars() {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    WORDS.iter().find_map(|(pattern, topic)| {
        let needle = match pattern.strip_suffix('*') {
            Some(start) => format!(" {start}"),
            None => format!(" {pattern} "),
        };
        words.contains(&needle).then_some(*topic)
    })
}

/// The text of an attachment of a textual type.
fn attached_text(attachment: &BTreeMap<String, Json>, data: &str) -> Option<String> {
    let Some(Json::Text(media_type)) = attachment.get("contentType") else {
        return None;
    };
    let textual = media_type.starts_with("text/") || media_type.contains("xml") || media_type.contains("json");
    textual.then(|| String::from_utf8_lossy(&decode_base64(data)).into_owned())
}

/// Base64 (RFC 4648 section 4), skipping what is not of its alphabet: this only
/// looks for words, the data itself is left as it is.
fn decode_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        group = group << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
        }
    }
    bytes
}

/// Whether being referred to makes the referring resource sensitive, for a
/// sensitive `target`: a claim or report tells what it is for. That somebody met a
/// patient, or during which visit something was measured, does not, except on the
/// paper trail of that visit.
pub(crate) fn carries_over(source: &str, target: &str) -> bool {
    match target {
        "Coverage" | "Device" | "EpisodeOfCare" | "Patient" | "Person" | "Practitioner" | "RelatedPerson" => false,
        "Encounter" => matches!(
            source,
            "Claim"
                | "ClaimResponse"
                | "ClinicalImpression"
                | "Composition"
                | "DocumentReference"
                | "ExplanationOfBenefit"
        ),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn topic(resource_type: &str, resource: &str) -> Option<Topic> {
        Classifier::default().topic(resource_type, &parse(resource).unwrap())
    }

    #[test]
    fn security_labels_hold_a_resource_back() {
        let labelled = |system: &str, code: &str| {
            topic(
                "Condition",
                &format!(r#"{{"meta":{{"security":[{{"system":"{system}","code":"{code}"}}]}}}}"#),
            )
        };
        let confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
        let act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        for code in ["R", "V"] {
            assert_eq!(labelled(confidentiality, code), Some(Labelled));
        }
        for code in ["N", "L", "M", "U"] {
            assert_eq!(labelled(confidentiality, code), None);
        }
        for code in ["ETH", "PSY", "SEX", "HIV", "SUD", "SDV"] {
            assert_eq!(labelled(act_code, code), Some(Labelled));
        }
        assert_eq!(labelled(act_code, "V"), None, "another V: not a confidentiality");
    }

    #[test]
    fn codes_count_within_their_system_only() {
        let coded = |system: &str, code: &str| {
            topic(
                "Condition",
                &format!(r#"{{"code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#),
            )
        };
        assert_eq!(coded("http://snomed.info/sct", "370143000"), Some(MentalHealth));
        assert_eq!(coded("http://snomed.info/sct", "86406008"), Some(Hiv));
        assert_eq!(coded("http://loinc.org", "2106-3"), Some(SexualHealth));
        assert_eq!(coded("urn:oid:2.16.840.1.113883.6.238", "2106-3"), None, "a race");
        assert_eq!(coded("http://hl7.org/fhir/sid/icd-10-cm", "F11.20"), Some(SubstanceUse));
        assert_eq!(coded("http://hl7.org/fhir/sid/icd-10-cm", "F32.9"), Some(MentalHealth));
        assert_eq!(coded("http://hl7.org/fhir/sid/icd-10", "T74.1"), Some(Violence));
        assert_eq!(coded("http://hl7.org/fhir/sid/icd-10-cm", "J45.0"), None);
    }

    #[test]
    fn words_are_found_in_texts_and_attachments_and_only_as_words() {
        let noted = |text: &str| topic("Procedure", &format!(r#"{{"code":{{"text":"{text}"}}}}"#));
        assert_eq!(noted("Depression screening (procedure)"), Some(MentalHealth));
        assert_eq!(noted("HIV-1 test"), Some(Hiv));
        assert_eq!(noted("Pre-exposure prophylaxis"), Some(Hiv));
        assert_eq!(noted("Latex (substance)"), None);
        assert_eq!(noted("Body mass index [Percentile] Per age and sex"), None);
        assert_eq!(noted("Archive of grapes"), None, "neither hiv nor rape");

        // "Reports feeling suicidal." in base64
        let note = |media_type: &str| {
            topic(
                "DocumentReference",
                &format!(
                    r#"{{"content":[{{"attachment":{{"contentType":"{media_type}","data":"UmVwb3J0cyBmZWVsaW5nIHN1aWNpZGFsLg=="}}}}]}}"#
                ),
            )
        };
        assert_eq!(note("text/plain; charset=utf-8"), Some(MentalHealth));
        assert_eq!(note("application/pdf"), None);
    }

    #[test]
    fn social_history_is_private_but_tobacco_is_not() {
        let observed = |category: &str, code: &str| {
            topic(
                "Observation",
                &format!(
                    r#"{{"category":[{{"coding":[{{"code":"{category}"}}]}}],"code":{{"coding":[{{"code":"{code}"}}]}}}}"#
                ),
            )
        };
        assert_eq!(observed("social-history", "63512-8"), Some(SocialHistory));
        assert_eq!(observed("survey", "59460-6"), Some(SocialHistory));
        assert_eq!(observed("social-history", "72166-2"), None);
        assert_eq!(observed("laboratory", "718-7"), None);
    }

    #[test]
    fn base64_decodes_with_and_without_padding_and_line_breaks() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8", "fo"), ("Zm9v\nYmFy", "foobar")] {
            assert_eq!(decode_base64(text), bytes.as_bytes());
        }
    }
}
