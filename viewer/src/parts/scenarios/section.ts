/** Profiles as a section: the bed, and the water that stands on it. Pure. */

import type { Profile } from '../../api/scenarios';

type Point = readonly [away: number, height: number];
type Points = readonly Point[];

export interface Body {
  readonly top: Points;
  readonly bottom: Points;
}

export interface Section {
  readonly length: number;
  readonly least: number;
  readonly most: number;
  /** Heights to write beside it. */
  readonly marks: readonly number[];
  /** Empty where the ground is not known. */
  readonly bed: Points;
  /** The water of each run, in connected parts. */
  readonly waters: readonly { readonly bodies: readonly Body[] }[];
}

/** ground: heights at the first profile's places; null: values stand on zero. */
export function section(profiles: readonly Profile[], ground: readonly (number | null)[] | null): Section {
  const distances = profiles[0]?.distances ?? [];
  const heights = distances.map((_, index) => ground?.[index] ?? 0);
  const waters = profiles.map((profile) => ({ bodies: bodies(profile, heights) }));
  const all = [...(ground ? heights : [0]), ...waters.flatMap(({ bodies: parts }) => parts.flatMap(({ top }) => top.map(([, height]) => height)))];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const step = niceStep((high - low || 1) / 4);
  const [least, most] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const marks = Array.from({ length: Math.round((most - least) / step) + 1 }, (_, index) => least + index * step);
  return { length: distances.at(-1) ?? 0, least, most, marks, bed: ground ? distances.map((away, index) => [away, heights[index] ?? 0] as const) : [], waters };
}

function bodies({ distances, values }: Profile, heights: readonly number[]): readonly Body[] {
  const found: { top: Point[]; bottom: Point[] }[] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const [away, bed] = [distances[index] ?? 0, heights[index] ?? 0];
    // Water as narrow as one place would be no area: it lies level as far as its shores.
    const shore = (beside: number): readonly Shore[] => {
      const there = distances[beside];
      return there === undefined || values[beside] !== null ? [] : [shoreOf([away, bed], bed + value, [there, heights[beside] ?? 0])];
    };
    if (index === 0 || values[index - 1] === null) found.push({ top: [], bottom: [] });
    const places = [...shore(index - 1), { top: [away, bed + value], bottom: [away, bed] } satisfies Shore, ...shore(index + 1)];
    found.at(-1)?.top.push(...places.map(({ top }) => top));
    found.at(-1)?.bottom.push(...places.map(({ bottom }) => bottom));
  });
  return found;
}

interface Shore {
  readonly top: Point;
  readonly bottom: Point;
}

/** Where water of a level ends towards a dry place: at the bank that it meets, else half-way. */
function shoreOf([away, bed]: Point, level: number, [there, dryBed]: Point): Shore {
  const share = dryBed >= level && dryBed > bed ? (level - bed) / (dryBed - bed) : 0.5;
  const at = away + share * (there - away);
  return { top: [at, level], bottom: [at, Math.min(level, bed + share * (dryBed - bed))] };
}

/** 1, 2 or 5 times a power of ten, not below the given. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}
