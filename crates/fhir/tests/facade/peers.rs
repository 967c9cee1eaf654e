//! DICOM files that pydicom wrote, and an HL7 v2 message that python-hl7 reads: ours reads the same from them.

use medlock_fhir::{dicom, hl7v2};
use serde_json::{Value, json};

use medlock_peers::{fhir_program, output};

#[test]
fn reads_from_pydicoms_files_what_pydicom_reads() {
    let folder = std::env::temp_dir().join(format!("medlock-fhir-dicom-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = fhir_program("peers.py");
    command.arg("dicom").arg(&folder);
    let written: Vec<Value> = serde_json::from_str(&output(command, Vec::new())).unwrap();
    assert_eq!(
        written.len(),
        6,
        "three transfer syntaxes, sequences with and without lengths"
    );
    for theirs in &written {
        let bytes = std::fs::read(theirs["path"].as_str().unwrap()).unwrap();
        let ours = dicom::read(&bytes).unwrap_or_else(|error| panic!("{error}: {theirs}"));
        let ours = json!({
            "path": theirs["path"],
            "TransferSyntaxUID": ours.transfer_syntax,
            "SOPClassUID": ours.sop_class,
            "SOPInstanceUID": ours.sop_instance,
            "StudyDate": ours.study_date.unwrap().replace('-', ""),
            "Modality": ours.modality,
            "StudyInstanceUID": ours.study,
            "SeriesInstanceUID": ours.series,
        });
        assert_eq!(&ours, theirs);
        for length in 0..bytes.len() {
            if let Ok(file) = dicom::read(&bytes[..length]) {
                assert_eq!(file.series, theirs["SeriesInstanceUID"], "cut at {length}");
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn reads_from_a_message_what_python_hl7_reads() {
    let text = b"MSH|^~\\&|LAB|A|EHR|B|20260503100000+0200||ADT^A08^ADT_A01|Q-77|P|2.4\rEVN|A08\rPID|1||42^^^A^MR\r";
    let mut command = fhir_program("peers.py");
    command.arg("hl7");
    let theirs: Value = serde_json::from_str(&output(command, text.to_vec())).unwrap();
    let ours = hl7v2::read(text).unwrap();
    let kind = format!("{}^{}^ADT_A01", ours.code, ours.event.unwrap());
    assert_eq!(
        theirs,
        json!({ "type": kind, "control_id": ours.control_id, "version": ours.version })
    );
}
