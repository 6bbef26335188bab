/** What a search text means: a place, objects by name, address or number. */

import { search } from '../api/city';
import type { Box, City, SearchHit } from '../api/documents';
import { formatPlace, inside, parseMetres, parsePlace, type Place } from '../geo/coordinates';
import { loadProjection } from '../geo/metric';
import { boxOf } from '../geo/scale';
import type { Camera, Language } from './view';

export type Answer =
  | { readonly kind: 'place'; readonly place: Place; readonly label: string }
  | { readonly kind: 'object'; readonly hit: SearchHit; readonly box: Box | null };

/** What the text means, and from where it is looked for. camera: of the map, null for the city's own view. */
export interface Question {
  readonly text: string;
  readonly language: Language;
  readonly camera: Pick<Camera, 'lng' | 'lat' | 'zoom'> | null;
}

/** From this zoom on one looks at a part of the city: what lies there is meant. */
const NEAR_ZOOM = 12;

/** The place that the text names; else what the server finds, layer by layer, the layer of the best answer first. */
export async function answers(root: string, city: City, { text, language, camera }: Question, signal: AbortSignal): Promise<Answer[]> {
  const place = await placeOf(text, city);
  // A pair of coordinates is no name: the server would look for it in vain.
  if (place) return [{ kind: 'place', place, label: formatPlace(place, 'degrees', null, language) }];
  const near = camera && camera.zoom >= NEAR_ZOOM ? ([camera.lng, camera.lat] as const) : null;
  const found = await search(root, text, signal, near);
  const all = found.features.flatMap(({ properties, geometry, bbox }): Answer[] => {
    if (properties.layer === null) {
      if (geometry?.type !== 'Point') return [];
      const [lng = 0, lat = 0] = geometry.coordinates;
      return [{ kind: 'place', place: { lng, lat }, label: properties.label }];
    }
    const [west, south, east, north] = bbox ?? [];
    const stated = west !== undefined && south !== undefined && east !== undefined && north !== undefined;
    return [{ kind: 'object', hit: properties, box: stated ? [west, south, east, north] : boxOf(geometry) }];
  });
  return grouped(all);
}

/** The same, those of one layer together, in the order in which the layers come first. */
export function grouped(all: readonly Answer[]): Answer[] {
  const layers = [...new Set(all.map(layerOf))];
  return layers.flatMap((layer) => all.filter((answer) => layerOf(answer) === layer));
}

export function layerOf(answer: Answer): string | null {
  return answer.kind === 'object' ? answer.hit.layer : null;
}

/** A place written in degrees, or in metres of the city's CRS; null for any other text. */
export async function placeOf(text: string, city: Pick<City, 'bbox' | 'metric_crs_proj4'>): Promise<Place | null> {
  return (await metresOf(text, city.bbox, city.metric_crs_proj4)) ?? parsePlace(text, city.bbox);
}

async function metresOf(text: string, box: Box | null, definition: string): Promise<Place | null> {
  const pair = parseMetres(text);
  if (!pair || !box || !definition) return null;
  const projection = await loadProjection(definition);
  const [first, second] = pair;
  const orders = [projection.inverse({ east: first, north: second }), projection.inverse({ east: second, north: first })];
  return orders.find((place) => inside(place, box)) ?? null;
}
