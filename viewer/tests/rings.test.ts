/** Shapes taken apart for drawing and put together again. */

import type { Geometry } from 'geojson';
import { describe, expect, it } from 'vitest';
import { fromPieces, sameShape, toPieces } from '../src/geo/rings';

const ring = (at: number): number[][] => [[at, 0], [at + 1, 0], [at + 1, 1], [at, 0]];

describe('shapes', () => {
  it.each<Geometry>([
    { type: 'Point', coordinates: [1, 2] },
    { type: 'MultiPoint', coordinates: [[1, 2], [3, 4]] },
    { type: 'LineString', coordinates: [[1, 2], [3, 4]] },
    { type: 'MultiLineString', coordinates: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] },
    { type: 'Polygon', coordinates: [ring(0), ring(2)] },
    { type: 'MultiPolygon', coordinates: [[ring(0), ring(2)], [ring(4)]] },
    { type: 'MultiPolygon', coordinates: [[ring(0)]] },
  ])('come back as they were: $type', (shape) => expect(fromPieces([...toPieces(shape)].reverse(), shape.type)).toEqual(shape));

  it('lose a part that was deleted, and are nothing without any', () => {
    const shape: Geometry = { type: 'MultiPolygon', coordinates: [[ring(0)], [ring(4)]] };
    expect(fromPieces(toPieces(shape).slice(1), shape.type)).toEqual({ type: 'MultiPolygon', coordinates: [[ring(4)]] });
    expect(fromPieces([], 'Polygon')).toBeNull();
  });

  it('are the same to a tenth of a millimetre', () => {
    expect(sameShape({ type: 'Point', coordinates: [1.0000000001, 2] }, { type: 'Point', coordinates: [1, 2] })).toBe(true);
    expect(sameShape({ type: 'Point', coordinates: [1.000001, 2] }, { type: 'Point', coordinates: [1, 2] })).toBe(false);
  });
});
