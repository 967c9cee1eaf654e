// A DICOM object: what it is of, and its picture where it is uncompressed and grey (PS3.3 C.7.6.3, PS3.5 8.1). Nothing of it leaves here.
import { parseDicom, type DataSet } from "dicom-parser";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { own } from "../../own";
import { text } from "../../text";
import { Field, Notice } from "../../ui";
import { Facts, type Fact } from "../parts";
import { day, spaced } from "../words";

/** Implicit VR little endian, explicit VR little endian: pixels as they are. */
const UNCOMPRESSED = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];
const PIXELS_MAX = 64 * 1024 * 1024;

interface Picture {
  rows: number;
  columns: number;
  frames: number;
  /** The value of a pixel of a frame, rescaled. */
  value(frame: number, index: number): number;
  centre: number;
  width: number;
  inverted: boolean;
}

export function DicomView({ bytes }: { bytes: Uint8Array }) {
  const words = text.fhir.dicom;
  const read = useMemo(() => {
    // A file that is cut short may break at any element.
    try {
      const data = parseDicom(bytes);
      const picture = pictureOf(data);
      return { picture, facts: factsOf(data, picture) };
    } catch {
      return null;
    }
  }, [bytes]);
  if (read === null) return <Notice kind="warning">{words.notReadable}</Notice>;
  return (
    <>
      {read.picture === null ? <Notice>{words.cannotShow}</Notice> : <Canvas picture={read.picture} />}
      <Facts facts={read.facts} />
    </>
  );
}

function factsOf(data: DataSet, picture: Picture | null): Fact[] {
  const words = text.fhir.dicom;
  const modality = data.string("x00080060");
  return [
    [words.modality, modality === undefined ? undefined : (own(text.fhir.systems.DCM, modality) ?? modality)],
    [words.study, data.string("x00081030")],
    [words.series, data.string("x0008103e")],
    [words.date, day(dicomDate(data.string("x00080020")))],
    [words.bodyPart, bodyPart(data.string("x00180015"))],
    [words.size, picture === null ? undefined : words.pixels(picture.columns, picture.rows)],
    [words.maker, data.string("x00080070")],
    [words.institution, data.string("x00080080")],
    [words.sliceThickness, millimetres(data.string("x00180050"))],
  ];
}

function bodyPart(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : spaced(value.toLowerCase());
}

function millimetres(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : `${Number(value)} mm`;
}

function dicomDate(value: string | undefined): string | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)$/.exec(value ?? "");
  return parts === null ? undefined : `${parts[1]}-${parts[2]}-${parts[3]}`;
}

function pictureOf(data: DataSet): Picture | null {
  const [rows, columns, bits] = [data.uint16("x00280010"), data.uint16("x00280011"), data.uint16("x00280100")];
  const photometric = data.string("x00280004");
  const pixels = data.elements["x7fe00010"];
  const syntax = data.string("x00020010") ?? "";
  const frames = Math.max(1, Number(data.string("x00280008") ?? 1));
  if (rows === undefined || columns === undefined || pixels === undefined || !UNCOMPRESSED.includes(syntax)) return null;
  if ((bits !== 8 && bits !== 16) || (data.uint16("x00280002") ?? 1) !== 1 || !/^MONOCHROME[12]$/.test(photometric ?? "")) return null;
  const count = rows * columns;
  if (!Number.isInteger(frames) || count === 0 || count > PIXELS_MAX || count * frames * (bits / 8) > pixels.length) return null;
  const stored = data.uint16("x00280101") ?? bits;
  const signed = data.uint16("x00280103") === 1;
  const [slope, intercept] = [Number(data.string("x00281053") ?? 1) || 1, Number(data.string("x00281052") ?? 0) || 0];
  const view = new DataView(data.byteArray.buffer, data.byteArray.byteOffset + pixels.dataOffset, pixels.length);
  const mask = 2 ** stored - 1;
  const value = (frame: number, index: number) => {
    const place = frame * count + index;
    const raw = (bits === 8 ? view.getUint8(place) : view.getUint16(place * 2, true)) & mask;
    return (signed && raw >= 2 ** (stored - 1) ? raw - 2 ** stored : raw) * slope + intercept;
  };
  let [centre, width] = [Number(data.string("x00281050", 0)), Number(data.string("x00281051", 0))];
  if (!Number.isFinite(centre) || !Number.isFinite(width) || width < 1 || data.string("x00281051") === undefined) {
    let [least, greatest] = [Infinity, -Infinity];
    for (let index = 0; index < count; index++) {
      const found = value(0, index);
      if (found < least) least = found;
      if (found > greatest) greatest = found;
    }
    centre = (least + greatest) / 2;
    width = Math.max(1, greatest - least);
  }
  return { rows, columns, frames, value, centre, width, inverted: photometric === "MONOCHROME1" };
}

function Canvas({ picture }: { picture: Picture }) {
  const words = text.fhir.dicom;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [centre, setCentre] = useState(String(Math.round(picture.centre)));
  const [width, setWidth] = useState(String(Math.round(picture.width)));
  const [frame, setFrame] = useState("1");
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    const image = context.createImageData(picture.columns, picture.rows);
    const low = (Number(centre) || 0) - Math.max(1, Number(width) || 1) / 2;
    const scale = 255 / Math.max(1, Number(width) || 1);
    const shown = Math.min(picture.frames, Math.max(1, Math.round(Number(frame)) || 1)) - 1;
    for (let index = 0; index < picture.rows * picture.columns; index++) {
      const grey = (picture.value(shown, index) - low) * scale;
      // The array clamps to 0..255.
      image.data.fill(picture.inverted ? 255 - grey : grey, index * 4, index * 4 + 3);
      image.data[index * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [picture, centre, width, frame]);
  return (
    <div class="fhir-dicom">
      <canvas ref={canvas} width={picture.columns} height={picture.rows} role="img" aria-label={words.alt} />
      <details>
        <summary>{words.adjust}</summary>
        <div class="fhir-window">
          <Field label={words.brightness} hint={words.brightnessHint} type="number" value={centre} onInput={setCentre} />
          <Field label={words.contrast} hint={words.contrastHint} type="number" min="1" value={width} onInput={setWidth} />
          {picture.frames > 1 && (
            <Field
              label={words.frame(picture.frames)}
              type="number"
              min="1"
              max={String(picture.frames)}
              value={frame}
              onInput={setFrame}
            />
          )}
        </div>
      </details>
      <p class="fhir-quiet">{words.notForDiagnosis}</p>
    </div>
  );
}
