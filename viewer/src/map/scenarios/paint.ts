/** Grids of values painted as water: states faded into each other, two runs side by side or as their difference. Pure. */

import type { Palette } from '../../state/scenarios/ramp';

/** One state between two; NaN is no value. */
export interface State {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly part: number;
  /** Whether no value means none of it. */
  readonly amount: boolean;
}

/** A line over the picture, in its pixels: what lies to the right of its direction belongs to the second run. */
export type Divide = readonly [x1: number, y1: number, x2: number, y2: number];

export function valueAt({ from, to, part, amount }: State, index: number): number {
  const [a, b] = [from[index] ?? NaN, to[index] ?? NaN];
  if (part === 0 || !amount) return a;
  const [before, after] = [Number.isNaN(a) ? 0 : a, Number.isNaN(b) ? 0 : b];
  const value = before + part * (after - before);
  return value === 0 ? NaN : value;
}

/** Paints one state, or two of them parted by a line. pixels: as a picture's memory has them. */
export function paint(pixels: Uint32Array, width: number, palette: Palette, first: State, second: State | null, divide: Divide | null): void {
  const [x1, y1, x2, y2] = divide ?? [0, 0, 0, 0];
  const [run, rise] = [x2 - x1, y2 - y1];
  const { colours, least, scale } = palette;
  const last = colours.length - 1;
  for (let index = 0; index < pixels.length; index += 1) {
    const beyond = second !== null && run * (Math.floor(index / width) + 0.5 - y1) - rise * ((index % width) + 0.5 - x1) > 0;
    const value = valueAt(beyond ? second : first, index);
    pixels[index] = Number.isNaN(value) ? 0 : (colours[Math.max(0, Math.min(last, Math.round((value - least) * scale)))] ?? 0);
  }
}

/** Paints how much more the second state has than the first. */
export function paintDifference(pixels: Uint32Array, palette: Palette, first: State, second: State): void {
  const { colours, least, scale } = palette;
  const last = colours.length - 1;
  for (let index = 0; index < pixels.length; index += 1) {
    const [a, b] = [valueAt(first, index), valueAt(second, index)];
    // No water in one run and some in the other is a difference; none in both is nothing.
    const both = first.amount ? (Number.isNaN(a) ? 0 : a) - (Number.isNaN(b) ? 0 : b) : a - b;
    const none = Number.isNaN(both) || (Number.isNaN(a) && Number.isNaN(b));
    pixels[index] = none ? 0 : (colours[Math.max(0, Math.min(last, Math.round((-both - least) * scale)))] ?? 0);
  }
}
