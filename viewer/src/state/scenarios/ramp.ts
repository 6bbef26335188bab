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

/** Deeper and less deep, as the server's ramp `difference` has them: for what is made of two layers here. */
export const DIFFERENCE: readonly RampStop[] = [
  [-1, '#0b5d3b', 0.92],
  [-0.5, '#2f9b5f', 0.88],
  [-0.15, '#93d3a2', 0.8],
  [-0.02, '#e6f4e4', 0.5],
  [0, '#f7f7f7', 0],
  [0.02, '#fbe9e2', 0.5],
  [0.15, '#f4a582', 0.8],
  [0.5, '#d6604d', 0.88],
  [1, '#8e1127', 0.92],
];

/** classes: one colour from each stop to the next, instead of going over into it. */
export function palette(ramp: readonly RampStop[], classes: boolean): Palette {
  const least = ramp[0]?.[0] ?? 0;
  const most = ramp.at(-1)?.[0] ?? 1;
  const scale = STEPS / (most - least || 1);
  const colours = new Uint32Array(STEPS + 1);
  for (let step = 0; step <= STEPS; step += 1) {
    const [red, green, blue, opacity] = colourAt(ramp, least + step / scale, classes);
    colours[step] = ((Math.round(opacity * 255) << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
  }
  return { colours, least, scale };
}

/** Red, green, blue (0 to 255) and opacity (0 to 1) of a value; beyond the ends the last colours go on. */
export function colourAt(ramp: readonly RampStop[], value: number, classes: boolean): readonly [number, number, number, number] {
  const above = ramp.findIndex(([stop]) => stop > value);
  const upper = ramp[above < 0 ? ramp.length - 1 : above];
  const lower = above < 0 ? upper : (ramp[above - 1] ?? upper);
  if (!upper || !lower) return [0, 0, 0, 0];
  const part = classes || upper === lower ? 0 : (value - lower[0]) / (upper[0] - lower[0]);
  const [from, to] = [channels(lower), channels(upper)];
  const mix = (index: 0 | 1 | 2 | 3): number => from[index] + part * (to[index] - from[index]);
  return [mix(0), mix(1), mix(2), mix(3)];
}

function channels([, colour, opacity]: RampStop): readonly [number, number, number, number] {
  const packed = Number.parseInt(colour.slice(1), 16);
  return [packed >> 16, (packed >> 8) & 255, packed & 255, opacity];
}

/** Whether no value at all means none of it, as with depth: then states can be faded into each other. */
export function isAmount(ramp: readonly RampStop[], classes: boolean): boolean {
  return !classes && ramp[0]?.[0] === 0 && ramp[0][2] === 0;
}

/** The ramp as a CSS gradient from left to right, its stops evenly spaced as a legend has them. */
export function gradient(ramp: readonly RampStop[], classes: boolean): string {
  const shown = ramp.filter(([, , opacity]) => opacity > 0);
  const stops = shown.map(([value, ...rest], index) => {
    const [red, green, blue, opacity] = channels([value, ...rest]);
    const colour = `rgb(${red} ${green} ${blue} / ${Math.round(opacity * 100)}%)`;
    const at = (part: number): string => `${((100 * part) / (classes ? shown.length : shown.length - 1 || 1)).toFixed(1)}%`;
    return classes ? `${colour} ${at(index)} ${at(index + 1)}` : `${colour} ${at(index)}`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
