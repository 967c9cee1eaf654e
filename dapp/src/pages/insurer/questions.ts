// A file of questions: comma-separated lines, by names or numbers, checked line by line before anything is asked.
import type { Action, Purpose, Question } from "../../core/core";
import { CATEGORIES } from "../../fhir";
import { parseWord } from "../../hex";
import { text } from "../../text";

/** So that a page can show the answers; a gateway takes more by its API. */
export const ROWS_MAX = 1_000;
export const BATCH = 100;
/** A gateway proves no more in one request (ADR 17). */
export const PROVED_BATCH = 16;

const COLUMNS = ["chart", "category", "purpose", "action", "at"];
export const PURPOSES: Purpose[] = ["HPAYMT", "TREAT", "ETREAT", "HOPERAT", "HRESCH", "PATRQT", "PUBHLTH"];
export const ACTIONS: Action[] = ["read", "write", "share"];

export interface Row {
  /** In the file, from 1. */
  line: number;
  question: Question;
}

export interface Parsed {
  rows: Row[];
  errors: { line: number; message: string }[];
}

export function parseQuestions(content: string): Parsed {
  const words = text.insurer;
  const table = cells(content);
  const errors: Parsed["errors"] = [];
  const head = table[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const named = head.includes("chart");
  const column = (name: string) => (named ? head.indexOf(name) : COLUMNS.indexOf(name));
  const lines = (named ? table.slice(1) : table).filter((line) => line.cells.some((cell) => cell.trim() !== ""));
  if (lines.length === 0) return { rows: [], errors: [{ line: 1, message: words.fileEmpty }] };
  if (lines.length > ROWS_MAX)
    return { rows: [], errors: [{ line: lines[ROWS_MAX]?.line ?? ROWS_MAX, message: words.tooManyRows(ROWS_MAX) }] };
  const rows = lines.flatMap(({ line, cells }): Row[] => {
    const cell = (name: string) => (cells[column(name)] ?? "").trim();
    const wrong: string[] = [];
    const chart = parseWord(cell("chart"));
    if (chart === null) wrong.push(words.chartWrong);
    const compartment = category(cell("category"));
    if (compartment === null) wrong.push(words.categoryWrong(cell("category")));
    const purpose = cell("purpose") === "" ? "HPAYMT" : PURPOSES.find((one) => one === cell("purpose").toUpperCase());
    if (purpose === undefined) wrong.push(words.purposeWrong(cell("purpose")));
    const action = cell("action") === "" ? "read" : ACTIONS.find((one) => one === cell("action").toLowerCase());
    if (action === undefined) wrong.push(words.actionWrong(cell("action")));
    const at = time(cell("at"));
    if (at === null) wrong.push(words.atWrong(cell("at")));
    if (chart === null || compartment === null || purpose === undefined || action === undefined || at === null) {
      errors.push({ line, message: wrong.join(" ") });
      return [];
    }
    return [{ line, question: { chart, compartment, purpose, action, ...(at === undefined ? {} : { at }) } }];
  });
  return { rows, errors };
}

/** By number, by the client's word or by the name that these pages show. */
function category(written: string): number | null {
  const word = written.toLowerCase();
  const found = CATEGORIES.find((one) => String(one.number) === word || one.key === word || one.name.toLowerCase() === word);
  return found === undefined ? null : found.number;
}

/** UNIX seconds of a day or a time; undefined: now. */
function time(written: string): number | undefined | null {
  if (written === "" || written.toLowerCase() === "now") return undefined;
  if (/^\d{9,11}$/.test(written)) return Number(written);
  if (/^\d{4}-\d\d-\d\d$/.test(written)) return noon(written);
  const at = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(at) ? null : Math.floor(at / 1000);
}

/** The middle of a day here: a share of that day alone covers it. */
export function noon(day: string): number | null {
  const at = new Date(`${day}T12:00:00`).getTime();
  return Number.isNaN(at) ? null : Math.floor(at / 1000);
}

/** RFC 4180, and semicolons as spreadsheets of many countries write them. */
function cells(content: string): { line: number; cells: string[] }[] {
  const input = content.replace(/^\ufeff/, "");
  const separator = (input.split("\n", 1)[0] ?? "").includes(";") ? ";" : ",";
  const rows: { line: number; cells: string[] }[] = [];
  let [cell, quoted, line] = ["", false, 1];
  let row: string[] = [];
  let begun = line;
  const end = () => {
    rows.push({ line: begun, cells: [...row, cell] });
    [row, cell] = [[], ""];
  };
  for (let at = 0; at < input.length; at++) {
    const letter = input.charAt(at);
    if (quoted) {
      if (letter === '"' && input.charAt(at + 1) === '"') {
        cell += '"';
        at++;
      } else if (letter === '"') quoted = false;
      else cell += letter;
    } else if (letter === '"') quoted = true;
    else if (letter === separator) {
      row.push(cell);
      cell = "";
    } else if (letter === "\n") end();
    else if (letter !== "\r") cell += letter;
    if (letter === "\n") {
      line++;
      if (!quoted) begun = line;
    }
  }
  if (cell !== "" || row.length > 0) end();
  return rows;
}

export function template(): string {
  const example = `0x${"00".repeat(31)}01`;
  return [COLUMNS.join(","), `${example},claims,HPAYMT,read,`, `${example},labs,HPAYMT,read,2026-01-31`].join("\r\n") + "\r\n";
}
