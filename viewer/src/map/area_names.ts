/** The names of divisions once each, where their tiles would repeat them piece by piece. Pure. */

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection } from 'geojson';
import { layerOf } from '../state/catalogue';
import { NAMED } from '../state/area_names';

const SOURCE = 'twin-area-names';

/** The style with the names at points of their own; as it is while there are none. */
export function withAreaNames(style: StyleSpecification, names: FeatureCollection | null): StyleSpecification {
  if (names === null) return style;
  const layers = style.layers.map((layer): LayerSpecification => {
    if (layer.type !== 'symbol' || layerOf(layer) !== NAMED) return layer;
    const { 'source-layer': _, ...rest } = layer;
    return { ...rest, source: SOURCE };
  });
  return { ...style, sources: { ...style.sources, [SOURCE]: { type: 'geojson', data: names } }, layers };
}
