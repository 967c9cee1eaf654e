// Where several things are done one after the other: what a fault of one means for those that follow.
import type { CoreFault } from "../../core/core";
import { faultOf } from "../../ui";

const ENDING: ReadonlySet<CoreFault["kind"]> = new Set(["wallet-rejected", "offline", "busy", "waiting"]);

/** The next would meet it too, or must not be begun before this is known; and whoever said no is not asked again at once. */
export function endsAll(error: unknown): boolean {
  return ENDING.has(faultOf(error).kind);
}
