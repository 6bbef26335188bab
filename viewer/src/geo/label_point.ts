/** Where the name of an area stands. Pure. */

import type { Geometry, Position } from 'geojson';

/** Rows across an area that are looked at. */
const ROWS = 24;

/** The middle of the roomiest place of an area, of all its parts, holes left out; null for what is no area. */
export function labelPoint(shape: Geometry): Position | null {
  const rings = shape.type === 'Polygon' ? shape.coordinates : shape.type === 'MultiPolygon' ? shape.coordinates.flat() : [];
  const heights = rings.flatMap((ring) => ring.map(([, y = 0]) => y));
  const [least, most] = [heights.reduce((a, b) => Math.min(a, b), Infinity), heights.reduce((a, b) => Math.max(a, b), -Infinity)];
  let [best, room]: [Position | null, number] = [null, 0];
  for (let row = 0; row < ROWS; row += 1) {
    const y = least + ((row + 0.5) / ROWS) * (most - least);
    for (const [left, right] of chords(rings, y, 1)) {
      const x = (left + right) / 2;
      const [low, high] = through(chords(rings, x, 0), y);
      const middle = (low + high) / 2;
      const [west, east] = through(chords(rings, middle, 1), x);
      const found = Math.min(high - low, 2 * Math.min(x - west, east - x));
      if (found > room) [best, room] = [[x, middle], found];
    }
  }
  return best;
}

/** What lies inside along a line on which one coordinate is `at`: spans of the other one. axis: of that coordinate. */
function chords(rings: readonly Position[][], at: number, axis: 0 | 1): readonly (readonly [number, number])[] {
  const along = 1 - axis;
  const crossed = rings.flatMap((ring) =>
    ring.slice(1).flatMap((to, index) => {
      const from = ring[index] ?? to;
      const [a = 0, b = 0, c = 0, d = 0] = [from[axis], to[axis], from[along], to[along]];
      return a <= at === b <= at ? [] : [c + ((at - a) / (b - a)) * (d - c)];
    }),
  );
  const sorted = crossed.sort((a, b) => a - b);
  return Array.from({ length: sorted.length >> 1 }, (_, pair) => [sorted[2 * pair] ?? 0, sorted[2 * pair + 1] ?? 0] as const);
}

function through(spans: ReturnType<typeof chords>, at: number): readonly [number, number] {
  return spans.find(([from, to]) => from <= at && at <= to) ?? [at, at];
}
