/** Areas reached, routes and car parks in the city's style. Pure. */

import type { Feature, FeatureCollection, LineString, Position } from 'geojson';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { CarPark, Reached } from '../api/ways';
import { isFlatLayer } from '../state/catalogue';

export interface WaysLook {
  readonly open: boolean;
  /** The farthest first. */
  readonly areas: readonly Reached[];
  readonly line: LineString | null;
  readonly carParks: readonly CarPark[];
  readonly from: Position | null;
  readonly to: Position | null;
}

export const NO_WAYS_LOOK: WaysLook = { open: false, areas: [], line: null, carParks: [], from: null, to: null };

const [AREAS, LINE, PLACES] = ['ways-areas', 'ways-line', 'ways-places'];
/** Near to far: one hue, so that it is read as more and less, and none that the ground or the water has. */
const RAMP = ['#4a1486', '#7a57b5', '#a088cf', '#bfaee0', '#d6caec', '#e9e2f5'];
const INK = '#2f0e5c';

/** The colour of the band that is `index` of `count` from the nearest on. */
export function bandColour(index: number, count: number): string {
  const step = count <= 3 ? 2 : 1;
  return RAMP[Math.min(RAMP.length - 1, index * step)] ?? INK;
}

export type Filled = 'none' | 'few' | 'some' | 'unknown';
export const FILLED: Readonly<Record<Filled, string>> = { some: '#1a7f4b', few: '#c77700', none: '#b3261e', unknown: '#5f6b76' };
const FEW = 0.1;

/** How a car park stands: few are a tenth of its places or less. */
export function filled({ properties: { free, capacity } }: CarPark): Filled {
  if (free === null) return 'unknown';
  if (free === 0) return 'none';
  return capacity !== null && free <= capacity * FEW ? 'few' : 'some';
}

export function withWays(style: StyleSpecification, look: WaysLook): StyleSpecification {
  if (!look.open) return style;
  const at = style.layers.findIndex((layer) => !isFlatLayer(layer));
  const under = at < 0 ? style.layers.length : at;
  const label = style.layers.findIndex((layer) => layer.type === 'symbol');
  const over = label < 0 ? style.layers.length : label;
  const line: FeatureCollection = { type: 'FeatureCollection', features: look.line ? [{ type: 'Feature', geometry: look.line, properties: {} }] : [] };
  return {
    ...style,
    sources: { ...style.sources, [AREAS]: { type: 'geojson', data: areas(look) }, [LINE]: { type: 'geojson', data: line }, [PLACES]: { type: 'geojson', data: places(look) } },
    layers: [...style.layers.slice(0, under), ...AREA_LAYERS, ...style.layers.slice(under, Math.max(under, over)), ...LINE_LAYERS, ...style.layers.slice(Math.max(under, over)), ...PLACE_LAYERS],
  };
}

const ROUND = { 'line-cap': 'round', 'line-join': 'round' } as const;
const AREA_LAYERS: readonly LayerSpecification[] = [
  { id: AREAS, type: 'fill', source: AREAS, paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.5, 'fill-antialias': false } },
  { id: `${AREAS}-edge`, type: 'line', source: AREAS, layout: ROUND, paint: { 'line-color': ['get', 'colour'], 'line-width': 1.4 } },
];
const LINE_LAYERS: readonly LayerSpecification[] = [
  { id: `${LINE}-casing`, type: 'line', source: LINE, layout: ROUND, paint: { 'line-color': '#ffffff', 'line-width': 9 } },
  { id: LINE, type: 'line', source: LINE, layout: ROUND, paint: { 'line-color': '#7a3fd0', 'line-width': 5 } },
];
const PLACE_LAYERS: readonly LayerSpecification[] = [
  {
    id: PLACES,
    type: 'circle',
    source: PLACES,
    paint: { 'circle-radius': ['get', 'radius'], 'circle-color': ['get', 'colour'], 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2.5 },
  },
  {
    id: `${PLACES}-name`,
    type: 'symbol',
    source: PLACES,
    layout: { 'text-field': ['get', 'text'], 'text-size': 11, 'text-allow-overlap': true, 'text-ignore-placement': true, 'text-font': ['Noto Sans SC'] },
    paint: { 'text-color': '#ffffff' },
  },
];

function areas({ areas: found }: WaysLook): FeatureCollection {
  const count = found.length;
  const features = found.map((area, index) => ({ ...area, properties: { colour: bandColour(count - 1 - index, count) } }));
  return { type: 'FeatureCollection', features };
}

function places({ carParks, from, to }: WaysLook): FeatureCollection {
  const parks = carParks.map((each, index) => place(each.geometry.coordinates, String(index + 1), FILLED[filled(each)], 10));
  const ends = [from && place(from, 'A', INK, 9), to && carParks.length === 0 && place(to, 'B', '#7a3fd0', 9)];
  return { type: 'FeatureCollection', features: [...parks.reverse(), ...ends.filter((each): each is Feature => Boolean(each))] };
}

function place(coordinates: Position, text: string, colour: string, radius: number): Feature {
  return { type: 'Feature', geometry: { type: 'Point', coordinates }, properties: { text, colour, radius } };
}
