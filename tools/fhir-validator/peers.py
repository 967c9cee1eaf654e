"""What others make of DICOM files and HL7 v2 messages, for comparison with crates/fhir.

peers.py dicom DIR   writes a file of each transfer syntax into DIR, and prints what is in them as JSON
peers.py hl7         reads a message, and prints its header's fields as JSON
"""
import json
import pathlib
import sys

import hl7
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless


def dicom(folder):
    written = []
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, JPEG2000Lossless):
        for undefined in (False, True):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
            meta.TransferSyntaxUID = syntax
            path = folder / f"{syntax.name.replace(' ', '-')}-{undefined}.dcm"
            file = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
            file.SOPClassUID = CTImageStorage
            file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
            file.StudyDate = "20260503"
            file.Modality = "CT"
            inner = pydicom.Dataset()
            inner.Modality = "MR"
            inner.CodeValue = "X"
            outer = pydicom.Dataset()
            outer.ReferencedSOPInstanceUID = "1.2.3"
            outer.PurposeOfReferenceCodeSequence = Sequence([inner])
            file.ReferencedImageSequence = Sequence([outer, outer])
            for data in (file, outer):
                for element in data:
                    if element.VR == "SQ":
                        element.is_undefined_length = undefined
                        for item in element.value:
                            item.is_undefined_length_sequence_item = undefined
            file.PatientName = "Doe^Jane"
            file.PatientID = "SECRET"
            file.add_new(0x00091001, "UN", b"private!")
            file.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2"
            file.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.3"
            file.Rows = 2
            file.save_as(path, enforce_file_format=True)
            back = pydicom.dcmread(path)
            names = ("SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "StudyInstanceUID", "SeriesInstanceUID")
            fields = {name: str(getattr(back, name)) for name in names}
            written.append({"path": str(path), "TransferSyntaxUID": str(back.file_meta.TransferSyntaxUID), **fields})
    print(json.dumps(written))


def message():
    header = hl7.parse(sys.stdin.buffer.read().decode().replace("\n", "\r")).segment("MSH")
    print(json.dumps({name: str(header(number)) for name, number in (("type", 9), ("control_id", 10), ("version", 12))}))


if sys.argv[1] == "dicom":
    dicom(pathlib.Path(sys.argv[2]))
else:
    message()
