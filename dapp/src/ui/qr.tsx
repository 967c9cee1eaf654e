import encodeQR from "qr";
import { useMemo } from "preact/hooks";

/** Dark on white whatever the theme: readers want it so. */
export function QrCode({ value, label }: { value: string; label: string }) {
  const cells = useMemo(() => encodeQR(value, "raw", { border: 3 }), [value]);
  const size = cells.length;
  const path = cells.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
