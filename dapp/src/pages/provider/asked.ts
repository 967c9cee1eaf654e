// Requests that people noted after they gave somebody the link. In this browser alone and not encrypted, as the names of patients are.
import type { Hex, Purpose } from "../../core/core";
import type { AskedLength } from "../patient/terms";

/** What a link asks for. */
export interface Request {
  purpose: Purpose;
  categories: number[];
  write: boolean;
  days: AskedLength;
}

export interface Asked extends Request {
  id: string;
  /** Of whom, in the words of whoever asks. */
  whom: string;
  /** UNIX seconds. */
  at: number;
}

/** The oldest go first: the browser's storage is small. */
const ASKED_MAX = 500;

/** Newest first. */
export function asked(account: Hex): Asked[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place(account)) ?? "[]");
    return Array.isArray(kept) ? (kept as Asked[]) : [];
  } catch {
    return [];
  }
}

export function note(account: Hex, one: Asked): void {
  keep(account, [one, ...asked(account)].slice(0, ASKED_MAX));
}

export function forget(account: Hex, id: string): void {
  keep(account, asked(account).filter((one) => one.id !== id));
}

function keep(account: Hex, all: Asked[]): void {
  localStorage.setItem(place(account), JSON.stringify(all));
}

const place = (account: Hex) => `medlock.asked.${account}`;
