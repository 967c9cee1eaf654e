import encodeQR from "qr";
import { useMemo } from "preact/hooks";
import { text } from "../../text";

/** Light modules around the code, which readers need. */
const BORDER = 3;

/** The text itself as a QR code: whoever scans it reads it, without a network. Black on white, in the dark too. */
export function QrCode({ content, label }: { content: string; label: string }) {
  const code = useMemo(() => {
    try {
      return encodeQR(content, "raw", { ecc: "low", border: BORDER });
    } catch {
      return null;
    }
  }, [content]);
  if (code === null) return <p>{text.emergency.qrTooLong}</p>;
  const path = code.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : []))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${code.length} ${code.length}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
