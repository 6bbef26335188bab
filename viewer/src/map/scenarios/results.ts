/** A scenario's result in the city's style: water over the ground and under the buildings, objects over it. Pure. */

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Box } from '../../api/documents';
import { isFlatLayer, layerOf } from '../../state/catalogue';

export const WATER = 'result-water';
const PREFIX = 'result-';
const RESULT = 'twin:result';

export interface ResultLook {
  /** Where values are; null: none are shown. */
  readonly water: Box | null;
  /** The objects' own styles, the lowest first, their addresses on this server and of the moment shown. */
  readonly objects: readonly { readonly id: string; readonly style: StyleSpecification }[];
}

export const NO_RESULT: ResultLook = { water: null, objects: [] };

/** The style with a result in it. */
export function withResults(style: StyleSpecification, { water, objects }: ResultLook, is3d: boolean): StyleSpecification {
  if (!water && objects.length === 0) return style;
  const own = objects.flatMap(({ id, style: { layers } }) => layers.filter((layer) => layer.type !== 'background').map((layer) => renamed(layer, id)));
  const flat = own.filter(isFlatLayer);
  const solid = own.filter((layer) => layer.type === 'fill-extrusion').flatMap((layer) => (is3d ? [standing(layer)] : []));
  const labels = own.filter((layer) => layer.type === 'symbol');
  const at = style.layers.findIndex((layer) => !isFlatLayer(layer));
  const under = at < 0 ? style.layers.length : at;
  // Over the city's own solids, where they are the same buildings in another colour.
  const over = Math.max(under, style.layers.findLastIndex((layer) => layer.type === 'fill-extrusion') + 1);
  const sources = Object.fromEntries(
    objects.flatMap(({ id, style: { sources: given } }) => Object.entries(given).map(([name, source]) => [PREFIX + id + name, source])),
  );
  return {
    ...style,
    sources: { ...style.sources, ...sources, ...(water ? { [WATER]: { type: 'image', coordinates: corners(water) } } : {}) } as StyleSpecification['sources'],
    layers: [...style.layers.slice(0, under), ...(water ? [WATER_LAYER] : []), ...flat, ...style.layers.slice(under, over), ...solid, ...style.layers.slice(over), ...labels],
  };
}

function standing(layer: LayerSpecification): LayerSpecification {
  return { ...layer, layout: { ...layer.layout, visibility: 'visible' } } as LayerSpecification;
}

const WATER_LAYER: LayerSpecification = { id: WATER, type: 'raster', source: WATER, paint: { 'raster-fade-duration': 0, 'raster-resampling': 'linear' } };

function renamed(layer: LayerSpecification, id: string): LayerSpecification {
  // Not the city's own layer: neither its table nor its switches know of it.
  const metadata = { [RESULT]: layerOf(layer) };
  if (!('source' in layer) || typeof layer.source !== 'string') return { ...layer, metadata, id: PREFIX + id + layer.id };
  return { ...layer, metadata, id: PREFIX + id + layer.id, source: PREFIX + id + layer.source } as LayerSpecification;
}

/** The layer of a run that a style layer draws; null: none. */
export function resultOf({ metadata }: LayerSpecification): string | null {
  const id: unknown = (metadata as Record<string, unknown> | undefined)?.[RESULT];
  return typeof id === 'string' ? id : null;
}

/** The corners of a picture, clockwise from the north-west. */
export function corners([west, south, east, north]: Box): [[number, number], [number, number], [number, number], [number, number]] {
  return [[west, north], [east, north], [east, south], [west, south]];
}
