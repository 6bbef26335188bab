/** Where the names of divisions stand. A tile holds a piece of each, and a name for every piece; a city wants one. */

import { effect, signal } from '@preact/signals';
import type { FeatureCollection, Point } from 'geojson';
import { getItems, itemsAddress } from '../api/city';
import { isAbort } from '../api/client';
import { labelPoint } from '../geo/label_point';
import { toCql2 } from './filter';
import { city, written } from './session';
import { field } from './store';

/** The layer whose names they are. */
export const NAMED = 'administrative_areas';
/** More are left to their tiles. */
const MOST = 1000;

/** Points with the divisions' own properties; null until they have come, and where they are too many. */
export const areaNames = signal<FeatureCollection<Point> | null>(null);

const [date, filters] = [field('date'), field('filters')];

/** Reads them whenever what is shown changes, until what it returns is called. */
export function followAreaNames(): () => void {
  return effect(() => {
    const loaded = city.value;
    const filter = filters.value[NAMED];
    const query = { bbox: null, date: date.value, filter: filter ? toCql2(filter) : null, limit: MOST };
    written.value;
    areaNames.value = null;
    if (!loaded?.collections.some(({ id }) => id === NAMED)) return;
    const abort = new AbortController();
    getItems(itemsAddress(loaded.root, NAMED, query), abort.signal).then(
      ({ features, links }) => {
        if (links?.some(({ rel }) => rel === 'next')) return;
        areaNames.value = { type: 'FeatureCollection', features: features.flatMap(named) };
      },
      (error: unknown) => {
        // The tiles' own names stay.
        if (!isAbort(error)) console.warn(error);
      },
    );
    return () => abort.abort();
  });
}

type Items = Awaited<ReturnType<typeof getItems>>['features'];

function named({ id, geometry, properties }: Items[number]): FeatureCollection<Point>['features'] {
  const at = geometry && labelPoint(geometry);
  return at ? [{ type: 'Feature', geometry: { type: 'Point', coordinates: at }, properties: { ...properties, object_id: id } }] : [];
}
