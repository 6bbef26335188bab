/** The lines of a chart: which series to ask for, and how they come together. Pure. */

import type { Series, SeriesQuery } from '../../api/sensing';
import { apart } from '../../geo/scale';
import { isTotal, type Sensor } from './states';
import type { Span } from './view';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** A point a pixel on a wide card, twice for highest and lowest. */
const POINTS = 800;

export interface Line {
  readonly stream: number;
  /** Seconds since 1970. */
  readonly time: readonly number[];
  readonly value: readonly number[];
  /** Seconds that each bar lasts; null: a line of single values. */
  readonly bar: number | null;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * The time that is charted, in seconds; null: all there is. now, window: milliseconds since 1970.
 * It ends at the last reading where that is over already, so that an archive's "last day" is not empty.
 */
export function spanOf(span: Span, last: number | null, now: number, window: readonly [number, number] | null): Window | null {
  if (span === 'window' && window) return { from: window[0] / 1000, to: window[1] / 1000 };
  if (span === 'all') return null;
  const length = span === '7d' ? 7 * DAY : DAY;
  const end = last === null ? now / 1000 : last < now - length * 1000 ? last / 1000 + HOUR : Math.max(last, now) / 1000;
  return { from: end - length, to: end };
}

/** How amounts are added up over a time: the bucket as the server has it, and its seconds. */
export function bucketOf(length: number | null): { readonly text: string; readonly seconds: number } {
  if (length !== null && length <= 2 * DAY) return { text: 'PT1H', seconds: HOUR };
  if (length !== null && length <= 14 * DAY) return { text: 'PT6H', seconds: 6 * HOUR };
  return { text: 'day', seconds: DAY };
}

/** What to ask the server: amounts in buckets, everything else thinned. */
export function queries(sensors: readonly Pick<Sensor, 'id' | 'kind'>[], span: Window | null): readonly SeriesQuery[] {
  const asked = span ? ([span.from, span.to] as const) : null;
  const ids = (total: boolean): number[] => sensors.filter((sensor) => isTotal(sensor.kind) === total).map((sensor) => sensor.id);
  const [totals, others] = [ids(true), ids(false)];
  const bucket = bucketOf(span && span.to - span.from).text;
  return [
    ...(others.length > 0 ? [{ streams: others, span: asked, bucket: null, points: POINTS }] : []),
    ...(totals.length > 0 ? [{ streams: totals, span: asked, bucket }] : []),
  ];
}

export function lineOf(series: Series, span: Window | null): Line {
  const { datastream, time, value, sum } = series;
  if (sum) return { stream: datastream, time, value: sum, bar: bucketOf(span && span.to - span.from).seconds };
  return { stream: datastream, time, value: value ?? [], bar: null };
}

export interface Figures {
  readonly least: number | null;
  readonly most: number | null;
  readonly last: number | null;
  readonly sum: number;
}

export function figures({ value }: Pick<Line, 'value'>): Figures {
  let [least, most, sum] = [Infinity, -Infinity, 0];
  for (const each of value) {
    least = Math.min(least, each);
    most = Math.max(most, each);
    sum += each;
  }
  if (value.length === 0) return { least: null, most: null, last: null, sum: 0 };
  return { least, most, last: value.at(-1) ?? null, sum };
}

/** A sensor and what else may stand beside it in a chart: of its kind, the nearest first. */
export function neighbours(of: Sensor, all: Iterable<Sensor>, most: number): Sensor[] {
  const far = ({ place }: Sensor): number => apart(of.place, place);
  const others = [...all].filter((sensor) => sensor.id !== of.id && (sensor.kind === of.kind || far(sensor) < 1e-6));
  return others.sort((a, b) => far(a) - far(b) || a.id - b.id).slice(0, most);
}
