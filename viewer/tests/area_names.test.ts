import { describe, expect, it } from 'vitest';
import { labelPoint } from '../src/geo/label_point';
import { withAreaNames } from '../src/map/area_names';
import type { StyleSpecification } from 'maplibre-gl';

describe('the name of an area', () => {
  it('stands in its roomiest part, outside its holes', () => {
    const square = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]];
    const [x = 0, y = 0] = labelPoint({ type: 'Polygon', coordinates: [square] }) ?? [];
    expect([x, y]).toEqual([2, 2]);
    const far = [[10, 0], [20, 0], [20, 10], [10, 10], [10, 0]];
    expect(labelPoint({ type: 'MultiPolygon', coordinates: [[square], [far]] })?.[0]).toBe(15);
    // A ring with its hole off the middle: the wide side is taken, and never the hole.
    const hole = [[11, 1], [15, 1], [15, 9], [11, 9], [11, 1]];
    const [beside = 0] = labelPoint({ type: 'Polygon', coordinates: [far, hole] }) ?? [];
    expect(beside).toBeGreaterThan(15);
    expect(labelPoint({ type: 'Point', coordinates: [1, 1] })).toBeNull();
  });

  it('is drawn from points of its own, and from tiles until they have come', () => {
    const style = {
      version: 8,
      sources: { city: { type: 'vector', tiles: [] } },
      layers: [
        { id: 'boundary', type: 'line', source: 'city', 'source-layer': 'administrative_areas', metadata: { 'twin:layer': 'administrative_areas' } },
        { id: 'name', type: 'symbol', source: 'city', 'source-layer': 'administrative_areas', metadata: { 'twin:layer': 'administrative_areas' } },
      ],
    } as unknown as StyleSpecification;
    expect(withAreaNames(style, null)).toBe(style);
    const { layers, sources } = withAreaNames(style, { type: 'FeatureCollection', features: [] });
    expect(layers[0]).toBe(style.layers[0]);
    expect(layers[1]).not.toHaveProperty('source-layer');
    expect(layers[1]).toHaveProperty('source', 'twin-area-names');
    expect(sources).toHaveProperty('twin-area-names');
  });
});
