import { useEffect, useRef } from "preact/hooks";
import { activities } from "./activity";
import { preferences } from "./preferences";
import { useStore } from "./store";

const LOOK_MS = 5_000;
const USES = ["pointerdown", "keydown", "scroll"];

/** What people may choose from. */
export const LOCK_MINUTES = [5, 15, 30];
const LOCK_MINUTES_DEFAULT = 15;

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
    const use = () => {
      if (Date.now() - used < idleMs) used = Date.now();
    };
    const look = () => {
      const now = Date.now();
      if (now - used >= idleMs && !isMoving(now - idleMs)) current.current();
    };
    const timer = setInterval(look, LOOK_MS);
    for (const event of USES) window.addEventListener(event, use, { passive: true, capture: true });
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      for (const event of USES) window.removeEventListener(event, use, { capture: true });
      document.removeEventListener("visibilitychange", look);
    };
  }, [open, idleMs]);
}

/** What was signed and is under way is the last thing to interrupt. A wallet's user may never answer, and what stands still may never move. */
function isMoving(since: number): boolean {
  return activities.get().some((one) => one.state === "working" && one.steps.at(-1)?.step !== "signing" && one.movedAt > since);
}
