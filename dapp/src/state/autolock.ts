import { useEffect, useRef } from "preact/hooks";
import { activities } from "./activity";
import { preferences } from "./preferences";
import { Store, useStore } from "./store";
import { isWorking } from "./work";

const LOOK_MS = 5_000;
/** Long enough to answer: WCAG 2.2 asks for 20 seconds (SC 2.2.1, Extend), and a look may come late. */
const WARN_MS = 60_000;
/** `click` comes without the others where a screen reader or a voice presses a button. */
const USES = ["pointerdown", "keydown", "scroll", "click"];

/** What people may choose from. */
export const LOCK_MINUTES = [5, 15, 30, 120];
const LOCK_MINUTES_DEFAULT = 15;

/** Seconds until it locks, in steps of a look; null: that is further away than the warning. */
export const lockWarning = new Store<number | null>(null);

/** What was chosen. Another version of this page, or somebody with its console, may have stored something else. */
export function useLockMinutes(): number {
  const { autoLockMinutes } = useStore(preferences);
  return LOCK_MINUTES.includes(autoLockMinutes) ? autoLockMinutes : LOCK_MINUTES_DEFAULT;
}

/** Locks what is open after the idle minutes that were chosen; by the clock, so that a device that slept is locked when it wakes. */
export function useAutoLock(open: boolean, lock: () => void): void {
  const idleMs = useLockMinutes() * 60_000;
  const current = useRef(lock);
  current.current = lock;
  useEffect(() => {
    if (!open) return;
    let used = Date.now();
    let looked = used;
    const leftMs = (now: number) => {
      // What is under way counts as use. Work says nothing of how it goes: it counts until the last look, as a device may have slept since.
      used = Math.max(used, movedAt(), isWorking(looked) ? looked : 0);
      return used + idleMs - now;
    };
    const use = ({ type }: Event) => {
      const now = Date.now();
      if (leftMs(now) <= 0) return;
      used = now;
      // A press ends with a click, which must find what it was meant for.
      if (type !== "pointerdown") lockWarning.set(null);
    };
    const look = () => {
      const now = Date.now();
      const left = leftMs(now);
      looked = now;
      if (left <= 0) current.current();
      else lockWarning.set(left <= WARN_MS ? Math.ceil(left / LOOK_MS) * (LOOK_MS / 1000) : null);
    };
    const timer = setInterval(look, LOOK_MS);
    for (const event of USES) window.addEventListener(event, use, { passive: true, capture: true });
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      for (const event of USES) window.removeEventListener(event, use, { capture: true });
      document.removeEventListener("visibilitychange", look);
      lockWarning.set(null);
    };
  }, [open, idleMs]);
}

/**
 * When a transaction last moved that is under way: it is the last thing to interrupt. A wallet's user may never answer, and what stands still may
 * never move.
 */
function movedAt(): number {
  const moving = activities.get().filter((one) => one.state === "working" && one.steps.at(-1)?.step !== "signing");
  return Math.max(0, ...moving.map((one) => one.movedAt));
}
