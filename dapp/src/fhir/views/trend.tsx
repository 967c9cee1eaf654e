// Values of one kind over time: a plot to see, and the same as a table to read.
import { text } from "../../text";
import { NOTHING, Rows } from "../parts";
import type { Flag } from "../summary";
import { amount } from "../words";

export interface Series {
  name: string;
  unit: string;
  /** Oldest first; `own` is that of the record that is shown. */
  points: { when: string; day: string; value: number; text: string; flag: Flag | undefined; own: boolean }[];
  low: number | undefined;
  high: number | undefined;
}

const WIDTH = 320;
const HEIGHT = 180;
const LEFT = 42;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 26;

export function Trend({ series }: { series: Series }) {
  const words = text.fhir;
  const { points, low, high } = series;
  const first = points[0];
  const last = points[points.length - 1];
  if (first === undefined || last === undefined) return null;
  const times = points.map((point) => Date.parse(point.when));
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const values = [...points.map((point) => point.value), ...[low, high].filter((value) => value !== undefined)];
  const ticks = scale(Math.min(...values), Math.max(...values));
  const [bottom, top] = [ticks[0] ?? 0, ticks[ticks.length - 1] ?? 1];
  const x = (time: number) => LEFT + (end === start ? 0.5 : (time - start) / (end - start)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - (value - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const unit = series.unit === "" ? "" : ` (${series.unit})`;
  // The one that is shown lies on top of its neighbours.
  const marks = points
    .map((point, index) => ({ point, time: times[index] ?? start }))
    .sort((one, other) => Number(one.point.own) - Number(other.point.own));
  const path = points
    .map((point, index) => `${index === 0 ? "M" : "L"}${x(times[index] ?? start).toFixed(1)} ${y(point.value).toFixed(1)}`)
    .join("");
  return (
    <figure class="fhir-trend">
      <figcaption>{words.overTime(series.name) + unit}</figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={words.trendSummary(series.name, points.length, first.text, first.day, last.text, last.day)}
      >
        {low !== undefined && high !== undefined && (
          <rect class="fhir-trend-usual" x={LEFT} y={y(high)} width={WIDTH - LEFT - RIGHT} height={Math.max(1, y(low) - y(high))} />
        )}
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="fhir-trend-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
              {amount(tick)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 6}>
          {first.day}
        </text>
        <text x={WIDTH - RIGHT} y={HEIGHT - 6} text-anchor="end">
          {last.day}
        </text>
        <path class="fhir-trend-line" d={path} />
        {marks.map(({ point, time }, index) => (
          <circle
            key={index}
            class={point.own ? "fhir-trend-point fhir-trend-own" : "fhir-trend-point"}
            cx={x(time)}
            cy={y(point.value)}
            r={point.own ? 5 : 3}
          >
            <title>{`${point.day}: ${point.text}`}</title>
          </circle>
        ))}
      </svg>
      {low !== undefined && high !== undefined && <p class="fhir-quiet">{words.shaded}</p>}
      <details>
        <summary>{words.asTable}</summary>
        <Rows
          caption={words.overTime(series.name)}
          head={[words.when, words.value, words.standing]}
          rows={[...points].reverse().map((point) => [point.day, point.text, point.flag === undefined ? NOTHING : words.flags[point.flag]])}
        />
      </details>
    </figure>
  );
}

/** Round numbers from below the least to above the greatest. */
function scale(least: number, greatest: number): number[] {
  const span = greatest - least || Math.abs(greatest) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const start = Math.floor((least === greatest ? least - step : least) / step);
  const stop = Math.ceil((least === greatest ? greatest + step : greatest) / step);
  return Array.from({ length: stop - start + 1 }, (_, index) => Number(((start + index) * step).toPrecision(12)));
}
