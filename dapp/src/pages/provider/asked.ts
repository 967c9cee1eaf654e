// Requests that people noted after they gave somebody the link. They have the names of patients: this browser keeps them for the account alone.
import { useEffect, useMemo } from "preact/hooks";
import type { Purpose } from "../../core/core";
import { Own } from "../../state/own";
import { useSession } from "../../state/session";
import { useStore } from "../../state/store";
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
export function useAsked() {
  const { core, me } = useSession();
  const own = useMemo(() => new Own<Asked[]>(core, me.address, "asked", []), [core, me.address]);
  useEffect(() => own.follow(), [own]);
  return {
    asked: useStore(own.entries),
    note: (one: Asked) => own.change((before) => [one, ...before].slice(0, ASKED_MAX)),
    forget: (id: string) => own.change((before) => before.filter((one) => one.id !== id)),
  };
}
