/** The style on the map: what the view changes in the server's style, checked by the style specification itself. */

import { createExpression, featureFilter, validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitSources, withTileJson } from '../src/api/sources';
import { compose, type Composition } from '../src/map/compose';
import { scaleOpacity } from '../src/map/opacity';
import { NO_WAYS_LOOK } from '../src/map/ways';
import { NO_RESULT } from '../src/map/scenarios/results';

const meta = (layer: string) => ({ 'twin:layer': layer, 'twin:theme': layer });
const of = (layer: string) => ({ source: 'city', 'source-layer': layer, metadata: meta(layer) });

const STYLE: StyleSpecification = {
  version: 8,
  sources: {
    city: { type: 'vector', tiles: ['http://127.0.0.1/tiles/{z}/{y}/{x}?collections=land,roads,buildings'] },
    terrain: { type: 'raster-dem', tiles: ['http://127.0.0.1/terrain/{z}/{x}/{y}.png'], encoding: 'mapbox' },
  },
  sky: { 'sky-color': '#88aacc' },
  layers: [
    { id: 'background', type: 'background', paint: { 'background-color': '#fff' } },
    { id: 'hillshade', type: 'hillshade', source: 'terrain', metadata: meta('terrain') },
    { id: 'land', type: 'fill', ...of('land'), paint: { 'fill-opacity': ['interpolate', ['linear'], ['zoom'], 9, 0.5, 15, 1] } },
    { id: 'roads', type: 'line', ...of('roads'), paint: { 'line-opacity': ['case', ['==', ['get', 'tunnel'], true], 0.4, 1] } },
    { id: 'buildings', type: 'fill', ...of('buildings') },
    { id: 'buildings-3d', type: 'fill-extrusion', ...of('buildings'), filter: ['has', 'height'], layout: { visibility: 'none' }, paint: { 'fill-extrusion-height': ['get', 'height'] } },
    { id: 'roads-name', type: 'symbol', ...of('roads'), layout: { 'text-field': ['coalesce', ['get', 'name'], ['get', 'name_en']], 'text-font': ['Noto Sans SC'] } },
  ],
};

const ORDER = ['buildings', 'roads', 'land', 'terrain'];
const ON = ORDER.map((id) => ({ id, visible: true, opacity: 1 }));

function composed(change: Partial<Composition> = {}): StyleSpecification {
  const style = compose({
    style: STYLE,
    layers: ON,
    order: ORDER,
    is3d: true,
    onTerrain: true,
    language: 'zh',
    date: null,
    selected: null,
    shape: { type: 'FeatureCollection', features: [] },
    accent: '#d9480f',
    filters: {},
    extras: [],
    reaching: { server: 'http://127.0.0.1/', keyOf: () => ({}), accent: '#d9480f' },
    names: null,
    results: NO_RESULT,
    ways: NO_WAYS_LOOK,
    sensing: { sensors: [], events: [], streams: [], event: null, style: 'day', typhoon: null },
    ...change,
  });
  expect(validateStyleMin(style)).toEqual([]);
  return style;
}

const own = (style: StyleSpecification): string[] => style.layers.map((layer) => layer.id).filter((id) => !id.startsWith('twin-'));
const layer = (style: StyleSpecification, id: string): LayerSpecification => {
  const found = style.layers.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no layer ${id}`);
  return found;
};
const text = (style: StyleSpecification): unknown => {
  const found = layer(style, 'roads-name');
  return found.type === 'symbol' ? found.layout?.['text-field'] : undefined;
};
const isShown = (style: StyleSpecification, id: string): boolean => layer(style, id).layout?.visibility === 'visible';

describe('2D and 3D', () => {
  it('3D stands on terrain under a sky, with solid buildings', () => {
    const style = composed();
    expect(style.sources[style.terrain?.source ?? '']).toEqual(STYLE.sources['terrain']);
    expect(style.sky).toEqual(STYLE.sky);
    expect(style.transition?.duration).toBe(0);
    expect(isShown(style, 'buildings-3d')).toBe(true);
  });

  it('2D is flat', () => {
    const style = composed({ is3d: false });
    expect(style.terrain).toBeUndefined();
    expect(style.sky).toBeUndefined();
    expect(isShown(style, 'buildings-3d')).toBe(false);
    expect(isShown(style, 'buildings')).toBe(true);
  });

  it('3D stands on a plane until there is time for the terrain', () => {
    const style = composed({ onTerrain: false });
    expect(style.terrain).toBeUndefined();
    expect(isShown(style, 'buildings-3d')).toBe(true);
  });

  it('without elevation 3D has no terrain', () => {
    const { terrain: _, ...sources } = STYLE.sources;
    const style = composed({ style: { ...STYLE, sources, layers: STYLE.layers.filter((each) => each.type !== 'hillshade') } });
    expect(style.terrain).toBeUndefined();
  });
});

describe('layers', () => {
  it('that are off, or wholly transparent, are not drawn', () => {
    const style = composed({ layers: ON.map((each) => ({ ...each, visible: each.id !== 'roads', opacity: each.id === 'land' ? 0 : 1 })) });
    expect(['roads', 'roads-name', 'land', 'buildings'].map((id) => isShown(style, id))).toEqual([false, false, false, true]);
  });

  it('keep the order of the style until it is changed', () => {
    expect(own(composed())).toEqual(STYLE.layers.map((each) => each.id));
  });

  it('in another order keep the background below and the labels above', () => {
    const [buildings, roads, land, terrain] = ON;
    const style = composed({ layers: [land, terrain, roads, buildings].filter((each) => each !== undefined) });
    expect(own(style)).toEqual(['background', 'buildings', 'roads', 'hillshade', 'land', 'buildings-3d', 'roads-name']);
  });

  it('are valid in every combination', () => {
    const layers = fc.shuffledSubarray(ORDER).chain((ids) =>
      fc.tuple(...ids.map((id) => fc.record({ id: fc.constant(id), visible: fc.boolean(), opacity: fc.constantFrom(0, 0.25, 1) }))),
    );
    const change = fc.record({ layers, is3d: fc.boolean(), language: fc.constantFrom('zh' as const, 'en' as const), date: fc.constantFrom(null, '2020-05-01') });
    fc.assert(
      fc.property(change, (given) => {
        composed(given);
      }),
      { numRuns: 40 },
    );
  });
});

describe('opacity', () => {
  const opacity = (given: LayerSpecification, name: string, zoom: number, properties: Record<string, unknown> = {}): unknown => {
    const expression = createExpression((given.paint as Record<string, unknown>)[name], name);
    if (expression.result === 'error') throw new Error(String(expression.value[0]?.message));
    return expression.value.evaluate({ zoom }, { type: 2, properties } as never);
  };

  it('scales numbers, expressions, and the outputs of a zoom', () => {
    const land = scaleOpacity(layer(STYLE, 'land'), 0.5);
    expect(opacity(land, 'fill-opacity', 9)).toBeCloseTo(0.25);
    expect(opacity(land, 'fill-opacity', 12)).toBeCloseTo(0.375);
    const roads = scaleOpacity(layer(STYLE, 'roads'), 0.5);
    expect(opacity(roads, 'line-opacity', 12, { tunnel: true })).toBeCloseTo(0.2);
    expect(opacity(roads, 'line-opacity', 12, { tunnel: false })).toBeCloseTo(0.5);
    expect(opacity(scaleOpacity(layer(STYLE, 'buildings'), 0.3), 'fill-opacity', 12)).toBeCloseTo(0.3);
  });

  it('scales the outputs of steps, nested ones too', () => {
    const given = { ...layer(STYLE, 'land'), paint: { 'fill-opacity': ['step', ['zoom'], 0.2, 10, ['case', ['has', 'a'], 1, 0.6]] } } as LayerSpecification;
    const scaled = scaleOpacity(given, 0.5);
    expect(opacity(scaled, 'fill-opacity', 9)).toBeCloseTo(0.1);
    expect(opacity(scaled, 'fill-opacity', 11)).toBeCloseTo(0.3);
    expect(opacity(scaled, 'fill-opacity', 11, { a: 1 })).toBeCloseTo(0.5);
  });
});

describe('language', () => {
  const label = (language: 'zh' | 'en', properties: Record<string, string>): unknown => {
    const expression = createExpression(text(composed({ language })), 'text-field');
    if (expression.result === 'error') throw new Error('not a label');
    return String(expression.value.evaluate({ zoom: 12 }, { type: 1, properties } as never));
  };

  it('labels by the name in it, else by the other one', () => {
    const both = { name: '清江', name_en: 'Qing River' };
    expect([label('zh', both), label('en', both)]).toEqual(['清江', 'Qing River']);
    expect([label('zh', { name_en: 'Qing River' }), label('en', { name: '清江' })]).toEqual(['Qing River', '清江']);
  });
});

describe('a selected object', () => {
  it('is the same solid in another colour', () => {
    const style = composed({ selected: { layer: 'buildings', id: '42' } });
    const solid = layer(style, 'twin-selected-buildings-3d');
    const filter = featureFilter(solid.type === 'fill-extrusion' ? (solid.filter ?? true) : false, 'filter');
    const passes = (id: number): boolean => filter.filter({ zoom: 15 }, { type: 3, id, properties: { height: 9 } } as never);
    expect([passes(42), passes(43)]).toEqual([true, false]);
  });

  it('lies under the labels', () => {
    const ids = composed({ selected: { layer: 'roads', id: '1' } }).layers.map((each) => each.id);
    expect(ids.indexOf('twin-selected-line')).toBeLessThan(ids.indexOf('roads-name'));
    expect(ids.indexOf('twin-selected-line')).toBeGreaterThan(ids.indexOf('buildings-3d'));
  });
});

describe('a day', () => {
  it('is asked for with every tile, and not with the elevation', () => {
    const { city, terrain } = composed({ date: '2020-05-01' }).sources;
    expect(city).toMatchObject({ tiles: ['http://127.0.0.1/tiles/{z}/{y}/{x}?collections=land,roads,buildings&datetime=2020-05-01'] });
    expect(terrain).toEqual(STYLE.sources['terrain']);
  });
});

describe('sources', () => {
  it('hold the layers shown at first together, and each other one alone', () => {
    const style = splitSources(STYLE, new Set(['land', 'buildings']));
    expect(style.sources['city']).toMatchObject({ tiles: ['http://127.0.0.1/tiles/{z}/{y}/{x}?collections=land,buildings'] });
    expect(style.sources['city:roads']).toMatchObject({ tiles: ['http://127.0.0.1/tiles/{z}/{y}/{x}?collections=roads'] });
    expect(style.layers.map((each) => ('source' in each ? each.source : null))).toEqual([null, 'terrain', 'city', 'city:roads', 'city', 'city', 'city:roads']);
    expect(validateStyleMin(style)).toEqual([]);
  });

  it('take over what their TileJSON says', async () => {
    const asked: string[] = [];
    const style = await withTileJson(
      { ...STYLE, sources: { city: { type: 'vector', url: '/tilejson.json', maxzoom: 14 }, flat: STYLE.sources['terrain'] ?? { type: 'raster-dem' } } },
      async (address) => {
        asked.push(address);
        return { tiles: ['/tiles/{z}/{y}/{x}'], minzoom: 3, maxzoom: 16, bounds: [1, 2, 3, 4] };
      },
      (address) => `http://127.0.0.1:1${address.replace(/^http:\/\/[^/]+/, '')}`,
    );
    expect(asked).toEqual(['http://127.0.0.1:1/tilejson.json']);
    expect(style.sources['city']).toEqual({ type: 'vector', tiles: ['http://127.0.0.1:1/tiles/{z}/{y}/{x}'], minzoom: 3, maxzoom: 14, bounds: [1, 2, 3, 4] });
    expect(style.sources['flat']).toMatchObject({ tiles: ['http://127.0.0.1:1/terrain/{z}/{x}/{y}.png'], encoding: 'mapbox' });
  });
});

describe('a filter', () => {
  it('gives the layer tiles of its own, filtered by the server, and leaves the others', () => {
    const group = { match: 'all' as const, parts: [{ property: 'height', operator: '>' as const, values: [10] }] };
    const style = composed({ filters: { buildings: { group, area: null, inView: false } } });
    expect(style.sources['city:buildings:filtered']).toMatchObject({ tiles: ['http://127.0.0.1/tiles/{z}/{y}/{x}?collections=buildings&filter=%22height%22%20%3E%2010'] });
    expect(['land', 'buildings', 'buildings-3d'].map((id) => (layer(style, id) as { source?: string }).source)).toEqual(['city', 'city:buildings:filtered', 'city:buildings:filtered']);
  });

  it('that asks only for what is in view changes no tile', () => {
    expect(composed({ filters: { buildings: { group: { match: 'all', parts: [] }, area: null, inView: true } } }).sources['city:buildings:filtered']).toBeUndefined();
  });
});
