// Terms of a share, as people put them. No input or output.
import type { Action, Grant, GrantTerms, Hex, Purpose } from "../../core/core";
import { CATEGORIES, FRAMES, SENSITIVE } from "../../fhir";
import { isAddress } from "../../hex";
import { own } from "../../own";
import { locale, text } from "../../text";
import { formatDate } from "../../ui";

/** Purposes that a patient shares for: own requests need no share, and for an emergency nobody can ask. */
export const PURPOSES: readonly Purpose[] = ["TREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH"];
/** What a link may ask for, as `days`. */
export const ASKED_LENGTHS = ["7", "30", "90", "365", "none"] as const;
export type AskedLength = (typeof ASKED_LENGTHS)[number];
export const LENGTHS = [...ASKED_LENGTHS, "date"] as const;
/** Where nothing says how long. */
export const USUAL_LENGTH = "90";
export type Length = (typeof LENGTHS)[number];

export interface Request {
  with: Hex | null;
  name: string;
  purposes: Purpose[];
  categories: number[];
  actions: Action[];
  /** null: the link does not say. */
  length: Length | null;
  /** Somebody asks for something in particular. */
  asks: boolean;
  /** They ask for what a link alone never selects. */
  asksSensitive: boolean;
}

const DAY_S = 86_400;

/** From a link or address that somebody pasted or scanned; null: it is neither. */
export function parseRequest(input: string): URLSearchParams | null {
  const trimmed = input.trim();
  if (isAddress(trimmed)) return new URLSearchParams({ with: trimmed });
  const query = /#?\/share\?(.*)$/s.exec(trimmed)?.[1];
  if (query === undefined) return null;
  const params = new URLSearchParams(query);
  return isAddress(params.get("with") ?? "") ? params : null;
}

/** Of a link: what makes no sense is left out, as anybody can write one. */
export function readRequest(params: URLSearchParams): Request {
  const address = (params.get("with") ?? "").toLowerCase();
  const list = (name: string) => (params.get(name) ?? "").split(",").map((one) => one.trim()).filter(Boolean);
  const purposes = PURPOSES.filter((purpose) => list("purposes").includes(purpose));
  const asked = CATEGORIES.map(({ number }) => number).filter((number) => list("categories").includes(String(number)));
  const actions = (["read", "write"] as const).filter((action) => list("actions").includes(action));
  const days = params.get("days");
  return {
    with: isAddress(address) ? (address as Hex) : null,
    name: (params.get("name") ?? "").slice(0, 80),
    purposes: purposes.length > 0 ? purposes : ["TREAT"],
    categories: asked.filter((number) => number !== SENSITIVE),
    actions: actions.length > 0 ? [...actions] : ["read"],
    // Without an end by its own word alone, never by one that makes no sense.
    length: days === null ? null : (ASKED_LENGTHS.find((length) => length === days) ?? USUAL_LENGTH),
    asks: ["categories", "actions", "purposes", "days"].some((name) => params.has(name)) && isAddress(address),
    asksSensitive: asked.includes(SENSITIVE),
  };
}

/** UNIX seconds, 0: no end, null: not in the future. `date`: the last day, which counts whole. */
export function expiryOf(length: Length, date: string, now: number): number | null {
  if (length === "none") return 0;
  if (length !== "date") return now + Number(length) * DAY_S;
  const [year, month, day] = date.split("-").map(Number);
  if (year === undefined || month === undefined || day === undefined) return null;
  const end = Math.floor(new Date(year, month - 1, day + 1).getTime() / 1000);
  return Number.isFinite(end) && end > now ? end : null;
}

export function lengthName(length: Length): string {
  switch (length) {
    case "none":
      return text.share.noEnd;
    case "date":
      return text.share.ownDate;
    case "365":
      return text.share.year;
    default:
      return text.share.days(Number(length));
  }
}

/** Who adds a file adds a frame for it; who reads records needs none. Frames name records of every category, which is said before signing. */
export function compartmentsOf(categories: readonly number[], actions: readonly Action[]): number[] {
  return actions.includes("write") ? [...categories, FRAMES] : [...categories];
}

/** Takes something away from a share that stands. */
export function isNarrower(grant: Grant, terms: GrantTerms): boolean {
  const lacks = <T,>(before: readonly T[], after: readonly T[]) => before.some((one) => !after.includes(one));
  return (
    lacks(grant.compartments.filter((one) => one !== FRAMES), terms.compartments) ||
    lacks<string>(grant.purposes, terms.purposes) ||
    lacks<string>(grant.actions, terms.actions) ||
    (terms.expiry !== 0 && (grant.expiry === 0 || terms.expiry < grant.expiry))
  );
}

export function isExpired(grant: Grant, now: number): boolean {
  return grant.expiry !== 0 && grant.expiry <= now;
}

/** "to treat you and for health research". */
export function whys(purposes: readonly string[]): string {
  return new Intl.ListFormat(locale).format(purposes.map((purpose) => own(text.purposes, purpose)?.why ?? purpose));
}

export function doings(actions: readonly string[]): string {
  const { readOnly, readWrite, writeOnly } = text.share;
  return actions.includes("write") ? (actions.includes("read") ? readWrite : writeOnly) : readOnly;
}

export function untils(expiry: number): string {
  // The last second of a day is the day's, not the next one's.
  return expiry === 0 ? text.share.untilStopped : text.share.untilDate(formatDate(expiry - 1));
}
