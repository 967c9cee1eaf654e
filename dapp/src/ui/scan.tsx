// Reads a QR code by the camera or from a picture, on this device. Loaded when somebody asks for it.
import decodeQR from "qr/decode.js";
import { QRCanvas, rearCamera, type QRCamera } from "qr/dom.js";
import { useEffect, useRef, useState } from "preact/hooks";
import { text } from "../text";
import { Button, Dialog, Notice, Spinner } from "./blocks";
import { CameraIcon } from "./icons";

export interface ScanProps {
  onFound: (value: string) => void;
  onClose: () => void;
}

const FRAME_MS = 120;
/** A photo of a phone has more pixels than a code needs. */
const PICTURE_PIXELS_MAX = 1_600;

export default function Scan({ onFound, onClose }: ScanProps) {
  const video = useRef<HTMLVideoElement>(null);
  const picture = useRef<HTMLInputElement>(null);
  const [state, setState] = useState<"starting" | "running" | "failed">("starting");
  const [noCode, setNoCode] = useState(false);
  useEffect(() => {
    let ended = false;
    let camera: QRCamera | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const canvas = new QRCanvas();
    const look = async () => {
      if (ended || !camera) return;
      const found = await camera.readFrame(canvas).catch(() => undefined);
      if (ended) return;
      if (typeof found === "string") onFound(found);
      else timer = setTimeout(() => void look(), FRAME_MS);
    };
    const begin = async () => {
      try {
        if (!video.current) return;
        camera = await rearCamera(video.current);
        if (ended) camera.stop();
        else {
          setState("running");
          await look();
        }
      } catch {
        if (!ended) setState("failed");
      }
    };
    void begin();
    return () => {
      ended = true;
      clearTimeout(timer);
      camera?.stop();
    };
  }, []);
  const read = async (file: File | undefined) => {
    if (!file) return;
    const found = await readPicture(file).catch(() => null);
    if (found === null) setNoCode(true);
    else onFound(found);
  };
  return (
    <Dialog
      title={text.scan.title} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button onClick={() => picture.current?.click()}><CameraIcon />{text.scan.photo}</Button>
        </>
      }
    >
      {state === "failed" ? <Notice kind="warning" live>{text.scan.noCamera}</Notice> : <p>{text.scan.lead}</p>}
      {state === "starting" && <Spinner label={text.scan.starting} />}
      <video ref={video} class="viewfinder" hidden={state !== "running"} muted playsInline aria-label={text.scan.lead} />
      {noCode && <Notice kind="bad" live>{text.scan.noCode}</Notice>}
      <input
        ref={picture} type="file" accept="image/*" hidden aria-label={text.scan.photo}
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
    </Dialog>
  );
}

async function readPicture(file: File): Promise<string> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, PICTURE_PIXELS_MAX / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return decodeQR({ width, height, data });
}
