/** What a search text means: a place, objects by name or number. */

import { search } from '../api/city';
import type { Box, City, SearchHit } from '../api/documents';
import { formatPlace, inside, parseMetres, parsePlace, type Place } from '../geo/coordinates';
import { loadProjection } from '../geo/metric';
import { boxOf } from '../geo/scale';
import type { Language } from './view';

export type Answer =
  | { readonly kind: 'place'; readonly place: Place; readonly label: string }
  | { readonly kind: 'object'; readonly hit: SearchHit; readonly box: Box | null };

/** The place that the text names, first; then what the server finds. */
export async function answers(root: string, city: City, text: string, language: Language, signal: AbortSignal): Promise<Answer[]> {
  const place = await placeOf(text, city);
  // A pair of coordinates is no name: the server would look for it in vain.
  if (place) return [{ kind: 'place', place, label: formatPlace(place, 'degrees', null, language) }];
  const found = await search(root, text, signal);
  return found.features.flatMap(({ properties, geometry, bbox }): Answer[] => {
    if (properties.layer === null) return [];
    const [west, south, east, north] = bbox ?? [];
    const stated = west !== undefined && south !== undefined && east !== undefined && north !== undefined;
    return [{ kind: 'object', hit: properties, box: stated ? [west, south, east, north] : boxOf(geometry) }];
  });
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
