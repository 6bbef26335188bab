/** The selected object, drawn over everything but the labels. */

import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from 'maplibre-gl';
import { layerOf } from '../state/catalogue';
import type { Composition } from './compose';

export const HIGHLIGHT_SOURCE = 'twin-selected';

export function highlightLayers(composition: Composition): LayerSpecification[] {
  return [...outlines(composition.accent), ...extrusions(composition)];
}

function outlines(accent: string): LayerSpecification[] {
  const source = HIGHLIGHT_SOURCE;
  const polygon: FilterSpecification = ['==', ['geometry-type'], 'Polygon'];
  const point: FilterSpecification = ['==', ['geometry-type'], 'Point'];
  return [
    { id: 'twin-selected-area', type: 'fill', source, filter: polygon, paint: { 'fill-color': accent, 'fill-opacity': 0.22 } },
    {
      id: 'twin-selected-line',
      type: 'line',
      source,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': accent, 'line-width': 3 },
    },
    {
      id: 'twin-selected-point',
      type: 'circle',
      source,
      filter: point,
      paint: {
        'circle-radius': 9,
        'circle-color': accent,
        'circle-opacity': 0.3,
        'circle-stroke-color': accent,
        'circle-stroke-width': 2.5,
      },
    },
  ];
}

// A drape lies under the building that stands on it, so a selected building is its own extrusion in another colour.
function extrusions({ style, selected, is3d, layers, accent }: Composition): LayerSpecification[] {
  const id = Number(selected?.id);
  const state = layers.find((layer) => layer.id === selected?.layer);
  if (!is3d || !selected || !state?.visible || !Number.isFinite(id)) return [];
  const same: ExpressionSpecification = ['==', ['id'], id];
  return style.layers.flatMap((layer) => {
    if (layer.type !== 'fill-extrusion' || layerOf(layer) !== selected.layer) return [];
    const filter = (layer.filter ? ['all', layer.filter, same] : same) as FilterSpecification;
    const paint = { ...layer.paint, 'fill-extrusion-color': accent, 'fill-extrusion-opacity': 1 };
    return [{ ...layer, id: `twin-selected-${layer.id}`, filter, paint, layout: { visibility: 'visible' as const } }];
  });
}
