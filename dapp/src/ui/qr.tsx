import encodeQR from "qr";
import { useMemo } from "preact/hooks";

export interface QrCodeProps {
  value: string;
  label: string;
  /** More fits with less of it: how much of the code may be damaged. */
  ecc?: "low" | "medium";
  /** What to say where it does not fit. */
  tooLong?: string;
}

/** Light modules around the code, which readers need. */
const BORDER = 3;

/** Whoever scans it reads the text, without a network. Dark on white whatever the theme: readers want it so. */
export function QrCode({ value, label, ecc = "medium", tooLong }: QrCodeProps) {
  const cells = useMemo(() => {
    try {
      return encodeQR(value, "raw", { ecc, border: BORDER });
    } catch (error) {
      if (tooLong === undefined) throw error;
      return null;
    }
  }, [value, ecc]);
  if (cells === null) return <p>{tooLong}</p>;
  const size = cells.length;
  const path = cells.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
