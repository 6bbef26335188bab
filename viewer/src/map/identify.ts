/** What lies at a point of the screen. */

import type { LayerSpecification, Map as MapLibre, MapGeoJSONFeature, Point } from 'maplibre-gl';
import { isResult, layerOf } from '../state/catalogue';
import type { Hit } from '../state/session';
import { resultOf } from './scenarios/results';

/** Pixels around a click within which a line or a point still counts as hit. */
const REACH = 6;

const AREAS = new Set(['fill', 'fill-extrusion']);

/** Objects at the point, topmost first, each once; lines and points also a little beside it. */
export function identify(map: MapLibre, point: Point): Hit[] {
  const layers = map.getStyle().layers.filter((layer) => ownerOf(layer) !== null && layer.type !== 'hillshade' && !layer.id.startsWith('twin-selected'));
  const options = { layers: layers.map((layer) => layer.id) };
  const exact = new Set(map.queryRenderedFeatures(point, options).map(key));
  const near = map.queryRenderedFeatures([[point.x - REACH, point.y - REACH], [point.x + REACH, point.y + REACH]], options);
  const found = new Map<string, Hit>();
  for (const feature of near) {
    const layer = ownerOf(feature.layer);
    const id = featureId(feature);
    if (layer === null || id === null || (AREAS.has(feature.layer.type) && !exact.has(key(feature)))) continue;
    const hit = { layer, id, properties: feature.properties };
    if (!found.has(`${layer}/${id}`)) found.set(`${layer}/${id}`, hit);
  }
  return [...found.values()];
}

/** What a run gave there, topmost first. */
export function resultsAt(hits: readonly Hit[]): readonly Hit[] {
  return hits.filter(({ layer }) => isResult({ id: layer }));
}

function ownerOf(layer: LayerSpecification): string | null {
  return layerOf(layer) ?? resultOf(layer);
}

function key(feature: MapGeoJSONFeature): string {
  return `${feature.layer.id}/${featureId(feature)}`;
}

function featureId(feature: MapGeoJSONFeature): string | null {
  const id: unknown = feature.id ?? feature.properties.object_id;
  return id === undefined || id === null ? null : String(id);
}
