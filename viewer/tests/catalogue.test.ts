/** The order of layers: as the style draws them, as a person moves them, as a link brings them. */

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeLayers, drawingOrder, groupByTheme, inOrder, moveLayer, moveTheme } from '../src/state/catalogue';
import { collection } from './fixtures';

const part = (layer: string, type: 'fill' | 'line' | 'symbol'): LayerSpecification =>
  ({ id: `${layer}-${type}`, type, source: 'city', 'source-layer': layer, metadata: { 'twin:layer': layer } }) as LayerSpecification;

const style: StyleSpecification = {
  version: 8,
  sources: {},
  layers: [
    { id: 'background', type: 'background' },
    part('land', 'fill'),
    part('water', 'fill'),
    part('roads', 'line'),
    part('buildings', 'fill'),
    part('roads', 'symbol'),
    part('water', 'symbol'),
  ],
};
const collections = [
  collection('land', { theme: 'ground' }),
  collection('water', { theme: 'ground' }),
  collection('roads', { theme: 'traffic', themeOrder: 1 }),
  collection('buildings', { themeOrder: 2, visible: false }),
  collection('plain', { themeOrder: 3 }),
];
const order = drawingOrder(style, collections);

describe('drawing order', () => {
  it('is that of areas, lines and points; labels do not lift their layer', () => {
    expect(order).toEqual(['buildings', 'roads', 'water', 'land', 'plain']);
  });
});

describe('layers of a view', () => {
  it('are the catalogue for a fresh view', () => {
    const layers = completeLayers([], collections, order);
    expect(layers.map((layer) => layer.id)).toEqual(order);
    expect(layers.find((layer) => layer.id === 'buildings')).toEqual({ id: 'buildings', visible: false, opacity: 1 });
  });

  it('keep what a link says, put new layers where the style has them, and drop unknown ones', () => {
    const link = [
      { id: 'land', visible: false, opacity: 0.3 },
      { id: 'gone', visible: true, opacity: 1 },
      { id: 'roads', visible: true, opacity: 1 },
    ];
    const layers = completeLayers(link, collections, order);
    expect(layers.map((layer) => layer.id)).toEqual(['buildings', 'land', 'plain', 'roads', 'water']);
    expect(layers[1]).toEqual(link[0]);
  });

  it('hold each layer once, whatever the link said', () => {
    const given = fc.uniqueArray(fc.constantFrom('land', 'water', 'roads', 'gone'), { maxLength: 4 });
    fc.assert(
      fc.property(given, (ids) => {
        const layers = completeLayers(ids.map((id) => ({ id, visible: true, opacity: 1 })), collections, order);
        expect(layers.map((layer) => layer.id).sort()).toEqual([...order].sort());
      }),
    );
  });
});

describe('moving', () => {
  const layers = completeLayers([], collections, order);
  const groups = groupByTheme(layers, collections);

  it('starts from themes in the order of their topmost layer', () => {
    expect(groups.map((group) => group.theme.id)).toEqual(['buildings', 'traffic', 'ground', 'plain']);
  });

  it('takes a theme with all its layers', () => {
    expect(moveTheme(groups, 'ground', 0)).toEqual(['water', 'land', 'buildings', 'roads', 'plain']);
  });

  it('moves a layer within its theme, and no further', () => {
    expect(moveLayer(groups, 'land', 0)).toEqual(['buildings', 'roads', 'land', 'water', 'plain']);
    expect(moveLayer(groups, 'land', 5)).toEqual(order);
    expect(moveLayer(groups, 'nothing', 0)).toEqual(order);
  });

  it('orders the view so, and keeps its other settings', () => {
    const moved = inOrder([{ id: 'roads', visible: false, opacity: 0.5 }, { id: 'land', visible: true, opacity: 1 }], ['land', 'roads']);
    expect(moved).toEqual([{ id: 'land', visible: true, opacity: 1 }, { id: 'roads', visible: false, opacity: 0.5 }]);
  });
});
