/** Which ways are asked for, and how the link holds it. Pure. */

import type { Position } from 'geojson';
import type { Direction, Mode } from '../../api/ways';
import { isMinute } from '../sensing/view';

export type Tool = 'reach' | 'route' | 'parking';
export const TOOLS: readonly Tool[] = ['reach', 'route', 'parking'];
export const MODES: readonly Mode[] = ['car', 'lorry', 'walk'];
/** Sets of minutes that are offered. */
export const BANDS: readonly (readonly number[])[] = [
  [5, 10, 15],
  [3, 6, 9],
  [10, 20, 30],
];

export interface WaysView {
  /** null: closed. */
  readonly tool: Tool | null;
  readonly mode: Mode;
  readonly direction: Direction;
  readonly minutes: readonly number[];
  /** The run whose roads are driven on; null: empty roads. */
  readonly run: string | null;
  /** The minute of that run (UTC); null: its first state. */
  readonly at: string | null;
  readonly from: Position | null;
  readonly to: Position | null;
}

export const NO_WAYS: WaysView = { tool: null, mode: 'car', direction: 'from', minutes: BANDS[0] ?? [], run: null, at: null, from: null, to: null };

const JOB = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const [MOST_MINUTES, MOST_BANDS] = [90, 6];

/** The values of the link; what says nothing is left out. */
export function encodeWays({ tool, mode, direction, minutes, run, at, from, to }: WaysView): [string, string][] {
  if (tool === null) return [];
  const parts: [string, string][] = [['ways', tool]];
  if (mode !== NO_WAYS.mode) parts.push(['by', mode]);
  if (direction !== NO_WAYS.direction) parts.push(['way', direction]);
  if (minutes.join() !== NO_WAYS.minutes.join()) parts.push(['minutes', minutes.join()]);
  if (run !== null) parts.push(['roads', run]);
  if (run !== null && at !== null) parts.push(['hour', at]);
  if (from) parts.push(['from', from.join()]);
  if (to) parts.push(['to', to.join()]);
  return parts;
}

export function decodeWays(values: URLSearchParams, defaults: WaysView): WaysView {
  const tool = TOOLS.find((each) => each === values.get('ways'));
  if (tool === undefined) return defaults;
  const [run, at] = [values.get('roads') ?? '', values.get('hour') ?? ''];
  const known = JOB.test(run);
  return {
    tool,
    mode: MODES.find((each) => each === values.get('by')) ?? NO_WAYS.mode,
    direction: values.get('way') === 'to' ? 'to' : 'from',
    minutes: minutesOf(values.get('minutes') ?? '') ?? NO_WAYS.minutes,
    run: known ? run : null,
    at: known && isMinute(at) ? at : null,
    from: placeOf(values.get('from')),
    to: placeOf(values.get('to')),
  };
}

/** A place as a link holds it: about 0.1 m. */
export function roundPlace(lng: number, lat: number): Position {
  // "+ 0" turns -0 into 0, which is written the same.
  return [lng, lat].map((each) => Math.round(each * 1e6) / 1e6 + 0);
}

function placeOf(text: string | null): Position | null {
  const numbers = (text ?? '').split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const [lng = NaN, lat = NaN] = numbers;
  return numbers.length === 2 && Math.abs(lng) <= 180 && Math.abs(lat) <= 89.9 ? roundPlace(lng, lat) : null;
}

/** Rising, each once; null where there is none that can be asked for. */
function minutesOf(text: string): readonly number[] | null {
  const numbers = text.split(',').map(Number);
  const found = [...new Set(numbers.filter((each) => each > 0 && each <= MOST_MINUTES))].sort((a, b) => a - b).slice(0, MOST_BANDS);
  return found.length > 0 ? found : null;
}
