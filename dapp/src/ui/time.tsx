import { locale, text } from "../text";

const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const minute = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const units = [["year", 31_557_600], ["month", 2_629_800], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;

export interface TimeProps {
  /** UNIX seconds, or a FHIR date or dateTime, which may be a year or a month alone. */
  at: number | string;
  show?: "date" | "time" | "relative";
}

export function Time({ at, show = "date" }: TimeProps) {
  const known = toDate(at);
  if (!known) return <span>{typeof at === "string" && at !== "" ? at : text.ui.unknownDate}</span>;
  const full = minute.format(known);
  const shown = show === "relative" ? ago(known) : show === "time" ? full : formatDate(at);
  return <time dateTime={known.toISOString()} title={full}>{shown}</time>;
}

/** UNIX seconds, with the time of day. */
export function formatTime(at: number): string {
  return minute.format(new Date(at * 1000));
}

/** As exact as it is known: a year stays a year. */
export function formatDate(at: number | string): string {
  const known = toDate(at);
  if (!known) return String(at);
  if (typeof at === "string" && /^\d{4}$/.test(at)) return at;
  if (typeof at === "string" && /^\d{4}-\d{2}$/.test(at)) return known.toLocaleDateString(locale, { month: "long", year: "numeric" });
  return day.format(known);
}

/** A date without a time is that day here, wherever here is. */
export function toDate(at: number | string): Date | null {
  const date =
    typeof at === "number" ? new Date(at * 1000)
    : /^\d{4}(-\d{2}){0,2}$/.test(at) ? localDay(at)
    : new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
}

function localDay(at: string): Date {
  const [year = 1970, month = 1, dayOfMonth = 1] = at.split("-").map(Number);
  return new Date(year, month - 1, dayOfMonth);
}

function ago(date: Date): string {
  const seconds = (date.getTime() - Date.now()) / 1000;
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return relative.format(0, "second");
}
