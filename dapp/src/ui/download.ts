/** Hands a file to the browser, which asks or knows where to put it. */
export function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser may begin to read it after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Lines with CRLF and quotes, as RFC 4180 has them. A cell that a spreadsheet would run as a formula is kept text by an apostrophe. */
export function csv(rows: (string | number)[][]): Blob {
  const cell = (value: string | number) => {
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return `"${safe.replaceAll('"', '""')}"`;
  };
  return new Blob([rows.map((row) => row.map(cell).join(",")).join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
}
