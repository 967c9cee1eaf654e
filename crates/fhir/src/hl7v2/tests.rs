use super::*;

const ORU: &[u8] = b"MSH|^~\\&|LAB|HOSP|EHR|CLINIC|20260503100000.1234+0200||ORU^R01^ORU_R01|MSG 00001|P|2.5.1||||||UNICODE UTF-8~ISO IR6\r\
PID|1||PATID-SECRET^^^HOSP^MR||DOE^JANE\rOBR|1||123^LAB|718-7^Hemoglobin^LN\rOBX|1|NM|718-7||13.2|g/dL\r";

fn with(from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(ORU).unwrap();
    assert!(text.contains(from), "{from}");
    text.replace(from, to).into_bytes()
}

#[test]
fn tells_what_a_message_is() {
    let message = read(ORU).unwrap();
    assert_eq!(
        message,
        Message {
            code: "ORU".to_owned(),
            event: Some("R01".to_owned()),
            control_id: "MSG 00001".to_owned(),
            sent_at: Some("2026-05-03T10:00:00.1234+02:00".to_owned()),
            version: "2.5.1".to_owned(),
            charset: Some("UNICODE UTF-8".to_owned()),
            names_patient: true,
        }
    );
    assert_eq!(
        (message.category(), &message.title()[..]),
        (Label::Labs, "HL7 v2 ORU^R01")
    );
    let adt = read(&with("ORU^R01^ORU_R01", "ADT^A01")).unwrap();
    assert_eq!(
        (adt.category(), &adt.title()[..]),
        (Label::Encounters, "HL7 v2 ADT^A01")
    );
    assert_eq!(read(&with("ORU^R01^ORU_R01", "ACK")).unwrap().title(), "HL7 v2 ACK");
}

#[test]
fn takes_the_messages_own_delimiters_and_line_ends() {
    let other = ORU.iter().map(|byte| match byte {
        b'|' => b'#',
        b'^' => b'!',
        b'\r' => b'\n',
        byte => *byte,
    });
    assert_eq!(read(&other.collect::<Vec<_>>()).unwrap(), read(ORU).unwrap());
    assert_eq!(read(&with("\r", "\r\n")).unwrap(), read(ORU).unwrap());
    assert!(read(&with("|^~\\&|", "|^~\\&#|")).is_ok(), "v2.7's truncation sign");
    for bad in ["|^~\\|", "|^^\\&|", "|^~\\||", "|a~\\&|", "||", "|^~\\&#!|"] {
        assert_eq!(read(&with("|^~\\&|", bad)), Err(Error::Delimiters), "{bad}");
    }
}

#[test]
fn says_whether_a_patient_is_named_and_never_who() {
    assert!(!read(&with("PATID-SECRET^^^HOSP^MR", "")).unwrap().names_patient);
    assert!(!read(&with("PATID-SECRET^^^HOSP^MR", "\"\"")).unwrap().names_patient);
    assert!(!read(&with("PID|", "PV1|")).unwrap().names_patient);
    let message = format!("{:?}", read(ORU).unwrap());
    assert!(!message.contains("SECRET") && !message.contains("DOE"), "{message}");
}

#[test]
fn times_become_fhirs() {
    let sent_at = |text: &str| read(&with("20260503100000.1234+0200", text)).map(|message| message.sent_at);
    assert_eq!(sent_at(""), Ok(None));
    assert_eq!(sent_at("2026").unwrap().as_deref(), Some("2026"));
    assert_eq!(sent_at("202605").unwrap().as_deref(), Some("2026-05"));
    assert_eq!(sent_at("20260503").unwrap().as_deref(), Some("2026-05-03"));
    assert_eq!(
        sent_at("202605031000").unwrap().as_deref(),
        Some("2026-05-03"),
        "without a zone, no time of day"
    );
    assert_eq!(
        sent_at("202605031000+0200").unwrap().as_deref(),
        Some("2026-05-03"),
        "FHIR wants seconds"
    );
    assert_eq!(
        sent_at("20260503100000-0500^S").unwrap().as_deref(),
        Some("2026-05-03T10:00:00-05:00")
    );
    for bad in [
        "202",
        "20261",
        "20261301",
        "20260230",
        "2026050325",
        "202605031000+2",
        "20260503.1",
        "20260503100000.12345",
    ] {
        assert_eq!(sent_at(bad), Err(Error::Field { field: 7 }), "{bad}");
    }
}

#[test]
fn refuses_what_is_no_single_message() {
    assert_eq!(read(b""), Err(Error::NoHeader));
    assert_eq!(read(b"\x0bMSH|^~\\&|"), Err(Error::NoHeader), "MLLP");
    assert_eq!(read(b"FHS|^~\\&|"), Err(Error::NoHeader), "a batch");
    assert_eq!(read(b"M\0S\0H\0|\0"), Err(Error::NoHeader), "UTF-16");
    assert_eq!(read(&[ORU, ORU].concat()), Err(Error::SeveralMessages));
    assert_eq!(read(&with("OBX|", "obx|")), Err(Error::Segment { index: 3 }));
    assert_eq!(read(&with("OBX|", "OBX")), Err(Error::Segment { index: 3 }));
    for (from, field) in [("ORU^R01^ORU_R01", 9), ("MSG 00001", 10), ("2.5.1", 12)] {
        assert_eq!(read(&with(from, "")), Err(Error::Field { field }));
        assert_eq!(read(&with(from, "\u{e9}")), Err(Error::Field { field }));
        assert_eq!(read(&with(from, &"1".repeat(200))), Err(Error::Field { field }));
    }
}

#[test]
fn cut_anywhere_it_is_read_or_refused_without_content() {
    let whole = read(ORU).unwrap();
    for length in 0..ORU.len() {
        match read(&ORU[..length]) {
            Ok(message) => {
                assert_eq!(message.code, whole.code);
                assert!(whole.version.starts_with(&message.version), "{length}");
            }
            Err(error) => {
                let says = format!("{error} {error:?}");
                assert!(
                    !["SECRET", "DOE", "LAB", "MSG"].iter().any(|word| says.contains(word)),
                    "{says}"
                );
            }
        }
    }
}

#[test]
fn unwraps_mllp_blocks() {
    assert_eq!(messages(ORU), Ok(vec![ORU]));
    let block = |message: &[u8]| [b"\x0b", message, b"\x1c\r"].concat();
    let two = [block(ORU), b"\n".to_vec(), block(b"MSH")].concat();
    assert_eq!(messages(&two), Ok(vec![ORU, &b"MSH"[..]]));
    assert_eq!(messages(&[&two[..], b"x"].concat()), Err(Error::Framing { index: 2 }));
    assert_eq!(messages(b"\x0bMSH|"), Err(Error::Framing { index: 0 }));
    assert_eq!(messages(b"\x0bMSH|\x1c\n"), Err(Error::Framing { index: 0 }));
}
