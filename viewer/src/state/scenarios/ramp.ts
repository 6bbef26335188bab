/** Values as colours, by the ramp that the server names. Pure. */

import type { RampStop } from '../../api/scenarios';

/** Colours of evenly spaced values as they lie in a picture's memory: red lowest, opacity highest. */
export interface Palette {
  readonly colours: Uint32Array;
  readonly least: number;
  /** Steps a unit. */
  readonly scale: number;
}

const STEPS = 2048;

/** Less and more, told apart by eyes that confuse red and green as well; -2 to 2 of what a unit's difference is read in. */
const DIFFERENCE: readonly RampStop[] = [
  [-2, '#014c5a', 0.84],
  [-0.5, '#1f8a99', 0.8],
  [-0.1, '#8fd0d3', 0.76],
  [-0.02, '#e2f3f2', 0.5],
  [0, '#f7f7f7', 0],
  [0.02, '#fbe9e2', 0.5],
  [0.1, '#f4a582', 0.76],
  [0.5, '#d6604d', 0.8],
  [2, '#8e1127', 0.84],
];

/** What only the one or the other run has water on. */
export const ONLY_FIRST: RampStop = [-2, '#014c5a', 0.84];
export const ONLY_SECOND: RampStop = [2, '#8e1127', 0.84];

/** In how many of a unit a difference is read; earlier is worse than later. */
const READ_IN: Readonly<Record<string, { readonly one: number; readonly worse: 1 | -1 }>> = { min: { one: 60, worse: -1 }, h: { one: 4, worse: 1 } };

/** The ramp of what one layer in a unit (UCUM) has more than another: red is worse. */
export function differenceRamp(unit: string | null): readonly RampStop[] {
  const { one, worse } = READ_IN[unit ?? ''] ?? { one: 1, worse: 1 };
  const colours = worse > 0 ? DIFFERENCE : [...DIFFERENCE].reverse();
  return DIFFERENCE.map(([value], index) => [value * one, colours[index]?.[1] ?? '', colours[index]?.[2] ?? 0]);
}

/** classes: one colour from each stop to the next, instead of going over into it. */
export function palette(ramp: readonly RampStop[], classes: boolean): Palette {
  const least = ramp[0]?.[0] ?? 0;
  const most = ramp.at(-1)?.[0] ?? 1;
  const scale = STEPS / (most - least || 1);
  const colours = new Uint32Array(STEPS + 1);
  for (let step = 0; step <= STEPS; step += 1) {
    colours[step] = inMemory(colourAt(ramp, least + step / scale, classes));
  }
  return { colours, least, scale };
}

/** The colour of a stop as it lies in a picture's memory. */
export function packed(stop: RampStop): number {
  return inMemory(channels(stop));
}

function inMemory([red, green, blue, opacity]: Channels): number {
  return ((Math.round(opacity * 255) << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

type Channels = readonly [red: number, green: number, blue: number, opacity: number];

/** Red, green, blue (0 to 255) and opacity (0 to 1) of a value; beyond the ends the last colours go on. */
export function colourAt(ramp: readonly RampStop[], value: number, classes: boolean): Channels {
  const above = ramp.findIndex(([stop]) => stop > value);
  const upper = ramp[above < 0 ? ramp.length - 1 : above];
  const lower = above < 0 ? upper : (ramp[above - 1] ?? upper);
  if (!upper || !lower) return [0, 0, 0, 0];
  const part = classes || upper === lower ? 0 : (value - lower[0]) / (upper[0] - lower[0]);
  const [from, to] = [channels(lower), channels(upper)];
  const mix = (index: 0 | 1 | 2 | 3): number => from[index] + part * (to[index] - from[index]);
  return [mix(0), mix(1), mix(2), mix(3)];
}

function channels([, colour, opacity]: RampStop): Channels {
  const hex = Number.parseInt(colour.slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255, opacity];
}

/** Whether no value at all means none of it, as with depth: then states can be faded into each other. */
export function isAmount(ramp: readonly RampStop[]): boolean {
  return ramp[0]?.[0] === 0 && ramp[0][2] === 0;
}

/** The ramp as a CSS gradient from left to right, its stops evenly spaced as a legend has them. */
export function gradient(ramp: readonly RampStop[]): string {
  const shown = ramp.filter(([, , opacity]) => opacity > 0);
  const stops = shown.map((stop, index) => {
    const [red, green, blue, opacity] = channels(stop);
    return `rgb(${red} ${green} ${blue} / ${Math.round(opacity * 100)}%) ${((100 * index) / (shown.length - 1 || 1)).toFixed(1)}%`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
