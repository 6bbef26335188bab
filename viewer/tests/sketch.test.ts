/** Shapes drawn corner by corner, their sizes against PROJ's geodesics (pyproj 3.7, WGS 84), and their corners as text. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaOf, cornersOf, isWhole, kindOf, lengthOf, shapeOf, sketchOf, type ShapeKind } from '../src/geo/sketch';
import { readCorners, writeCorners } from '../src/state/scenarios/corners';

const CORNERS = [[120.95, 28.1], [120.96, 28.1], [120.965, 28.11]];
const LENGTH = 2194.9548;
const AREA = 544539.66;
const COAST = [120.8, 27.8, 121.2, 28.2] as const;

describe('a shape that is drawn', () => {
  it('is as long and as large as on the ellipsoid, to within a hundredth', () => {
    expect(lengthOf(CORNERS) / LENGTH).toBeCloseTo(1, 2);
    expect(areaOf(CORNERS) / AREA).toBeCloseTo(1, 2);
    expect(areaOf([...CORNERS].reverse())).toBeCloseTo(areaOf(CORNERS), 6);
    expect(lengthOf([])).toBe(0);
  });

  it.each<[ShapeKind, number]>([['point', 1], ['linestring', 2], ['polygon', 3]])('a %s is whole with %i corners', (kind, least) => {
    expect(isWhole(kind, CORNERS.slice(0, least - 1))).toBe(false);
    const shape = shapeOf(kind, CORNERS.slice(0, least));
    expect(shape && kindOf(shape)).toBe(kind);
    expect(shape && cornersOf(shape)).toEqual(CORNERS.slice(0, least));
    expect(shapeOf(kind, CORNERS.slice(0, least - 1))).toBeNull();
  });

  it('shows its corners, and the way to the cursor', () => {
    const shown = sketchOf('polygon', CORNERS.slice(0, 2), [121, 28]);
    expect(shown.features.map(({ geometry }) => geometry.type)).toEqual(['Point', 'Point', 'Polygon']);
    expect(sketchOf('linestring', CORNERS.slice(0, 1), null).features.map(({ geometry }) => geometry.type)).toEqual(['Point']);
    expect(sketchOf('linestring', [], [121, 28]).features).toEqual([]);
  });
});

describe('corners as text', () => {
  it.each<ShapeKind>(['linestring', 'polygon'])('come back as they were: %s', (kind) =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1208e6, max: 1212e6 }), fc.integer({ min: 278e6, max: 282e6 })), { minLength: 3, maxLength: 9 }), (corners) => {
        const shape = shapeOf(kind, corners.map(([x, y]) => [x / 1e7, y / 1e7]));
        expect(readCorners(writeCorners(shape), kind, [...COAST])).toEqual({ shape });
      }),
    ),
  );

  it('are read as people write places, and what is wrong is told by its line', () => {
    expect(readCorners('北纬28.1 东经120.95\n\n28.1N 120.96E', 'linestring', null)).toEqual({ shape: { type: 'LineString', coordinates: CORNERS.slice(0, 2) } });
    expect(readCorners('120.95, 28.1\nby the school', 'linestring', null)).toEqual({ wrong: 2 });
    expect(readCorners('120.95, 28.1', 'linestring', null)).toEqual({ tooFew: true });
    expect(readCorners(' \n', 'polygon', null)).toEqual({ shape: null });
  });
});
