// Files: of a record that is one, and of attachments within resources. A file is shown only as what it is said to be, by elements
// that cannot run it; everything else is handed out as a download.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ComponentType } from "preact";
import { own } from "../../own";
import { locale, text } from "../../text";
import { Button, download, Notice, Spinner } from "../../ui";
import { at, items, string, type Maybe } from "../json";
import { Facts, NoteText, referenceName, type ViewProps } from "../parts";
import { codeList, concept, concepts, listed, moment, status } from "../words";

/** Longer texts are for another program. */
const TEXT_BYTES_MAX = 512 * 1024;
/** What every browser draws in an <img>. SVG is among the files that are only handed out: it is a document. */
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];

const EXTENSIONS: Record<string, string> = {
  "application/pdf": "pdf",
  "application/dicom": "dcm",
  "application/hl7-v2": "hl7",
  "application/fhir+json": "json",
  "application/json": "json",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "text/plain": "txt",
  "text/markdown": "md",
  "application/xml": "xml",
};

interface FileProps {
  blob: Blob;
  mediaType: string;
  name: string;
}

export function FileView({ blob, mediaType, name }: FileProps) {
  const type = (mediaType.split(";")[0] ?? "").trim().toLowerCase();
  const file = fileName(name, type);
  return (
    <div class="fhir-file">
      <Shown blob={blob} type={type} name={name} />
      <Button onClick={() => download(file, blob)}>{text.fhir.download(file, size(blob.size))}</Button>
    </div>
  );
}

function Shown({ blob, type, name }: { blob: Blob; type: string; name: string }) {
  if (IMAGES.includes(type)) return <Picture blob={blob} type={type} name={name} />;
  if (type === "application/pdf") return <Pdf blob={blob} name={name} />;
  if (type === "application/dicom") return <Lazy blob={blob} load={loadDicom} />;
  if (type === "application/hl7-v2") return <Lazy blob={blob} load={loadHl7v2} />;
  if (type.startsWith("text/") || type === "application/json" || type === "application/xml") return <PlainText blob={blob} />;
  return <Notice>{text.fhir.cannotShow}</Notice>;
}

/** The file under an address of this page alone, as a type that is chosen here and not by whoever wrote the record. */
function useBlobUrl(blob: Blob, type: string): string {
  const url = useMemo(() => URL.createObjectURL(new Blob([blob], { type })), [blob, type]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return url;
}

function Picture({ blob, type, name }: { blob: Blob; type: string; name: string }) {
  const url = useBlobUrl(blob, type);
  const [failed, setFailed] = useState(false);
  return failed ? (
    <Notice kind="warning">{text.fhir.pictureBroken}</Notice>
  ) : (
    <img class="fhir-picture" src={url} alt={name} onError={() => setFailed(true)} />
  );
}

/** A PDF loads when it is asked for: by the browser's own viewer, as nothing but a PDF. */
function Pdf({ blob, name }: { blob: Blob; name: string }) {
  const url = useBlobUrl(blob, "application/pdf");
  const [open, setOpen] = useState(false);
  if (!navigator.pdfViewerEnabled) return <Notice>{text.fhir.noPdfViewer}</Notice>;
  return (
    <>
      {open ? (
        <iframe class="fhir-pdf" src={url} title={name} />
      ) : (
        <Button variant="primary" onClick={() => setOpen(true)}>
          {text.fhir.openPdf}
        </Button>
      )}
      <a href={url} target="_blank" rel="noreferrer">
        {text.fhir.openInTab}
      </a>
    </>
  );
}

function PlainText({ blob }: { blob: Blob }) {
  const [content, setContent] = useState<string | null>(null);
  const tooLong = blob.size > TEXT_BYTES_MAX;
  useEffect(() => {
    let here = true;
    if (!tooLong) void blob.text().then((words) => here && setContent(words));
    return () => {
      here = false;
    };
  }, [blob]);
  if (tooLong) return <Notice>{text.fhir.textTooLong}</Notice>;
  return content === null ? <Spinner /> : <NoteText>{content}</NoteText>;
}

type BytesView = ComponentType<{ bytes: Uint8Array }>;
const loadDicom = () => import("./dicom").then((module) => module.DicomView);
const loadHl7v2 = () => import("./hl7v2").then((module) => module.Hl7v2View);

/** A viewer that comes with its own parser, loaded with the first such file. */
function Lazy({ blob, load }: { blob: Blob; load: () => Promise<BytesView> }) {
  const [ready, setReady] = useState<{ View: BytesView; bytes: Uint8Array } | "failed" | null>(null);
  useEffect(() => {
    let here = true;
    Promise.all([load(), blob.arrayBuffer()]).then(
      ([View, buffer]) => here && setReady({ View, bytes: new Uint8Array(buffer) }),
      () => here && setReady("failed"),
    );
    return () => {
      here = false;
    };
  }, [blob, load]);
  if (ready === null) return <Spinner />;
  if (ready === "failed") return <Notice kind="warning">{text.fhir.viewerFailed}</Notice>;
  return <ready.View bytes={ready.bytes} />;
}

/** A FHIR Attachment. What stands at an address elsewhere is never fetched: it would tell that place who reads. */
export function Attachment({ attachment }: { attachment: Maybe }) {
  const words = text.fhir;
  const data = string(at(attachment, "data"));
  const type = string(at(attachment, "contentType")) ?? "application/octet-stream";
  const name = string(at(attachment, "title")) ?? words.attachment;
  const blob = useMemo(() => (data === undefined ? undefined : decode(data, type)), [data, type]);
  const url = string(at(attachment, "url"));
  if (blob !== undefined) return <FileView blob={blob} mediaType={type} name={name} />;
  if (data !== undefined) return <Notice kind="warning">{words.attachmentBroken}</Notice>;
  return url === undefined ? null : (
    <Notice title={words.attachmentElsewhere}>
      <p class="fhir-url">{url}</p>
    </Notice>
  );
}

function decode(data: string, type: string): Blob | undefined {
  try {
    return new Blob([Uint8Array.from(atob(data.replace(/\s+/g, "")), (letter) => letter.charCodeAt(0))], { type });
  } catch {
    return undefined;
  }
}

export function DocumentView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const attachments = [
    ...items(resource["content"]).map((one) => at(one, "attachment") ?? one),
    ...(resource.resourceType === "Binary" ? [resource] : []),
  ];
  return (
    <>
      {string(resource["description"]) !== undefined && <p>{string(resource["description"])}</p>}
      {attachments.map((one, index) => (
        <Attachment key={index} attachment={one} />
      ))}
      <Facts
        facts={[
          [words.sort, listed([...new Set([...concepts(resource["type"]), ...concepts(resource["category"])])])],
          [words.when, moment(resource["date"]) ?? moment(resource["createdDateTime"])],
          [words.author, listed(items(resource["author"]).flatMap((one) => referenceName(one, props) ?? []))],
          [words.clinic, referenceName(resource["custodian"], props)],
          [words.status, concept(resource["docStatus"]) ?? status(resource["status"])],
          [words.visit, referenceName(at(resource, "context", "encounter"), props)],
          [words.code, codeList(resource["type"])],
        ]}
      />
    </>
  );
}

function fileName(name: string, type: string): string {
  const safe =
    name
      .replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ")
      .trim()
      .slice(0, 100) || text.fhir.attachment;
  const extension = own(EXTENSIONS, type);
  return extension === undefined || /\.[a-z0-9]{2,5}$/i.test(safe) ? safe : `${safe}.${extension}`;
}

function size(bytes: number): string {
  const [value, unit] = bytes < 1024 ? [bytes, "byte"] : bytes < 1024 ** 2 ? [bytes / 1024, "kilobyte"] : [bytes / 1024 ** 2, "megabyte"];
  const unitDisplay = unit === "byte" ? "long" : "short";
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}
