import type { RecordDocument } from "../../core/core";
import { own } from "../../own";

const extensions: Record<string, string> = {
  "application/fhir+json": "json",
  "application/json": "json",
  "application/pdf": "pdf",
  "application/dicom": "dcm",
  "application/hl7-v2": "hl7",
  "application/xml": "xml",
  "application/rtf": "rtf",
  "text/plain": "txt",
  "text/html": "html",
  "text/markdown": "md",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/tiff": "tif",
};

/** What a record is called on somebody's disk. */
export function fileName(title: string, document: RecordDocument): string {
  const type = document.metadata.mediaType.split(";")[0] ?? "";
  const extension = own(extensions, type) ?? "bin";
  const base = title.replace(/[^\p{L}\p{N} ._-]+/gu, " ").replace(/\s+/g, " ").trim().slice(0, 80) || "record";
  return base.toLowerCase().endsWith(`.${extension}`) ? base : `${base}.${extension}`;
}
