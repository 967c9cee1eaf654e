// What we call a chart: the name that we gave it, else the short form of its id.
import type { Hex } from "../../core/core";
import { useNames } from "../../state/names";
import { text } from "../../text";
import { shortAddress } from "../../ui";

export function usePatientName(chart: Hex): string {
  return useNames().get(chart) ?? text.provider.unnamed(shortAddress(chart));
}
