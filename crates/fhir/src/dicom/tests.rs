use super::*;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// An element, explicit or not; the value padded to an even length.
fn element(is_explicit: bool, tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    let length = u32::try_from(value.len()).unwrap();
    if !is_explicit {
        bytes.extend(length.to_le_bytes());
    } else if matches!(vr, "SQ" | "OB" | "UN") {
        bytes.extend(vr.bytes().chain([0, 0]).chain(length.to_le_bytes()));
    } else {
        bytes.extend(vr.bytes().chain(u16::try_from(length).unwrap().to_le_bytes()));
    }
    bytes.extend(value);
    bytes
}

/// A sequence of undefined length, with an item of undefined length in it, with another sequence in that.
fn sequence(is_explicit: bool, depth: usize) -> Vec<u8> {
    let mut bytes = element(is_explicit, Tag(0x0008, 0x1140), "SQ", &[]);
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&UNDEFINED.to_le_bytes());
    let delimiter =
        |tag: Tag, length: u32| [&tag.0.to_le_bytes()[..], &tag.1.to_le_bytes(), &length.to_le_bytes()].concat();
    bytes.extend(delimiter(ITEM, UNDEFINED));
    bytes.extend(element(is_explicit, Tag(0x0008, 0x0060), "CS", b"NOTME"));
    if depth > 1 {
        bytes.extend(sequence(is_explicit, depth - 1));
    }
    bytes.extend(delimiter(ITEM_END, 0));
    bytes.extend(delimiter(ITEM, 4));
    bytes.extend(*b"skip");
    bytes.extend(delimiter(SEQUENCE_END, 0));
    bytes
}

fn file(transfer_syntax: &str, edit: impl Fn(&mut Vec<(Tag, &'static str, Vec<u8>)>)) -> Vec<u8> {
    let is_explicit = transfer_syntax != IMPLICIT_LITTLE;
    let mut elements = vec![
        (SOP_CLASS, "UI", CT.into()),
        (SOP_INSTANCE, "UI", b"1.2.3.4".to_vec()),
        (STUDY_DATE, "DA", b"20260503".to_vec()),
        (MODALITY, "CS", b"CT".to_vec()),
        (Tag(0x0010, 0x0010), "PN", b"DOE^JANE".to_vec()),
        (STUDY, "UI", b"1.2.3".to_vec()),
        (SERIES, "UI", b"1.2.3.9".to_vec()),
        (Tag(0x7FE0, 0x0010), "OB", vec![7; 100]),
    ];
    edit(&mut elements);
    let mut bytes = vec![0; 128];
    bytes.extend(*b"DICM");
    bytes.extend(element(true, Tag(2, 1), "OB", &[0, 1]));
    bytes.extend(element(true, TRANSFER_SYNTAX, "UI", transfer_syntax.as_bytes()));
    for (tag, vr, value) in elements {
        if tag == STUDY {
            bytes.extend(element(is_explicit, Tag(0x0012, 0x0010), "LO", b"x"));
        }
        if tag == Tag(0x0010, 0x0010) {
            bytes.extend(sequence(is_explicit, 3));
        }
        bytes.extend(element(is_explicit, tag, vr, &value));
    }
    bytes
}

fn set(tag: Tag, value: &'static str) -> impl Fn(&mut Vec<(Tag, &'static str, Vec<u8>)>) {
    move |elements| {
        let element = elements.iter_mut().find(|(found, _, _)| *found == tag).unwrap();
        element.2 = value.into();
    }
}

#[test]
fn tells_what_a_file_is_in_both_encodings() {
    for transfer_syntax in [IMPLICIT_LITTLE, EXPLICIT_LITTLE, "1.2.840.10008.1.2.4.90"] {
        let read = read(&file(transfer_syntax, |_| {})).unwrap();
        assert_eq!(
            read,
            File {
                transfer_syntax: transfer_syntax.to_owned(),
                sop_class: CT.to_owned(),
                sop_instance: "1.2.3.4".to_owned(),
                study_date: Some("2026-05-03".to_owned()),
                modality: Some("CT".to_owned()),
                study: "1.2.3".to_owned(),
                series: "1.2.3.9".to_owned(),
            }
        );
        assert_eq!((read.category(), &read.title()[..]), (Label::Imaging, "DICOM CT"));
    }
    let report = read(&file(EXPLICIT_LITTLE, set(MODALITY, "SR"))).unwrap();
    assert_eq!(report.category(), Label::Documents);
}

#[test]
fn what_may_be_empty_may_be() {
    let file = |tag| read(&file(EXPLICIT_LITTLE, set(tag, ""))).unwrap();
    assert_eq!(file(STUDY_DATE).study_date, None);
    assert_eq!(file(MODALITY).modality, None);
    assert_eq!(file(MODALITY).title(), "DICOM object");
}

#[test]
fn refuses_what_it_cannot_read() {
    assert_eq!(read(b""), Err(Error::NotDicom));
    assert_eq!(read(&[0; 200]), Err(Error::NotDicom));
    for other in [DEFLATED, EXPLICIT_BIG] {
        assert_eq!(read(&file(other, |_| {})), Err(Error::TransferSyntax));
    }
    for (tag, value) in [
        (SOP_CLASS, ""),
        (STUDY, "1.2.x"),
        (
            SERIES,
            "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6",
        ),
        (STUDY_DATE, "2026.05.03"),
        (STUDY_DATE, "202605"),
        (STUDY_DATE, "20260231"),
        (MODALITY, "CT\\MR"),
        (MODALITY, "ct"),
    ] {
        assert_eq!(
            read(&file(EXPLICIT_LITTLE, set(tag, value))),
            Err(tag.error()),
            "{value}"
        );
    }
    let swapped = read(&file(EXPLICIT_LITTLE, |elements| elements.swap(0, 1)));
    assert_eq!(swapped, Err(SOP_CLASS.error()), "out of order");
    let twice = read(&file(EXPLICIT_LITTLE, |elements| {
        elements.insert(4, elements[3].clone())
    }));
    assert_eq!(twice, Err(MODALITY.error()));
}

#[test]
fn sequences_nest_only_so_deep() {
    let mut head = file(EXPLICIT_LITTLE, |elements| elements.truncate(4));
    head.extend(sequence(true, DEPTH_MAX));
    assert_eq!(
        read(&head),
        Err(STUDY.error()),
        "read to its end, where the study is missing"
    );
    let mut head = file(EXPLICIT_LITTLE, |elements| elements.truncate(4));
    head.extend(sequence(true, DEPTH_MAX + 1));
    assert_eq!(read(&head), Err(Error::TooDeep { depth_max: DEPTH_MAX }));
    let mut head = file(EXPLICIT_LITTLE, |elements| elements.truncate(4));
    head.extend(sequence(true, 1_000));
    assert_eq!(read(&head), Err(Error::TooDeep { depth_max: DEPTH_MAX }));
}

#[test]
fn cut_anywhere_it_is_refused_until_the_series_is_there() {
    for transfer_syntax in [IMPLICIT_LITTLE, EXPLICIT_LITTLE] {
        let file = file(transfer_syntax, |_| {});
        let whole = read(&file).unwrap();
        // Behind the series stand the pixels: their header and 100 bytes.
        let pixels = 100 + if transfer_syntax == IMPLICIT_LITTLE { 8 } else { 12 };
        for length in 0..file.len() {
            match read(&file[..length]) {
                Ok(read) => {
                    assert!(length >= file.len() - pixels, "{length}");
                    assert_eq!(read, whole);
                }
                Err(error) => {
                    // A cut between two elements looks like an end.
                    assert!(
                        matches!(error, Error::NotDicom | Error::Truncated | Error::Element { .. }),
                        "{error:?}"
                    );
                    assert!(!format!("{error} {error:?}").contains("DOE"));
                }
            }
        }
    }
}
