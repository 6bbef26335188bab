/** Grids of values painted as water: states faded into each other, or what one run has more than another. Pure. */

import type { Palette } from '../../state/scenarios/ramp';

/** One state between two; NaN is no value. */
export interface State {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly part: number;
  /** Whether no value means none of it. */
  readonly amount: boolean;
}

export function valueAt({ from, to, part, amount }: State, index: number): number {
  const [a, b] = [from[index] ?? NaN, to[index] ?? NaN];
  if (part === 0 || !amount) return a;
  const [before, after] = [Number.isNaN(a) ? 0 : a, Number.isNaN(b) ? 0 : b];
  const value = before + part * (after - before);
  return value === 0 ? NaN : value;
}

/** Paints a state. pixels: as a picture's memory has them. */
export function paint(pixels: Uint32Array, { colours, least, scale }: Palette, state: State): void {
  const last = colours.length - 1;
  for (let index = 0; index < pixels.length; index += 1) {
    const value = valueAt(state, index);
    pixels[index] = Number.isNaN(value) ? 0 : (colours[Math.max(0, Math.min(last, Math.round((value - least) * scale)))] ?? 0);
  }
}

/** Pixels from one stripe to the next, and of a stripe. */
const [STRIPES, STRIPE] = [8, 5];

/**
 * Paints how much more a state has than another. What only one of them has at all is striped: that a place is dry, or
 * wet, says more than by how much. only: colours of what only the other one has, and only the state, where no value is
 * not an amount of none.
 */
export function paintDifference(pixels: Uint32Array, width: number, { colours, least, scale }: Palette, only: readonly [number, number], state: State, less: State): void {
  const last = colours.length - 1;
  for (let index = 0; index < pixels.length; index += 1) {
    const [a, b] = [valueAt(less, index), valueAt(state, index)];
    const [isThere, isHere] = [!Number.isNaN(a), !Number.isNaN(b)];
    const isGap = isThere !== isHere && ((index % width) + Math.floor(index / width)) % STRIPES >= STRIPE;
    if (isGap || !(isThere || isHere)) pixels[index] = 0;
    else if (isThere !== isHere && !state.amount) pixels[index] = only[isHere ? 1 : 0];
    else {
      const difference = (isHere ? b : 0) - (isThere ? a : 0);
      pixels[index] = colours[Math.max(0, Math.min(last, Math.round((difference - least) * scale)))] ?? 0;
    }
  }
}
