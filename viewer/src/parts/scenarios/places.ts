/** Rows of tables and the places on the map that they tell of. */

import { search } from '../../api/city';
import { boxOf } from '../../geo/scale';
import { announcement, city, map, shape } from '../../state/session';
import { t } from '../../i18n/text';

/** Columns whose values are names of places, the nearest to the row first. */
const NAMES = ['name', 'village', 'township', 'shelter'];

export function leads(column: string): boolean {
  return NAMES.includes(column);
}

/** Goes to what a row tells of, and marks it: the first place that bears its name. */
export async function goToRow(columns: readonly string[], row: readonly unknown[]): Promise<void> {
  const name = row[columns.findIndex(leads)];
  const root = city.peek()?.root;
  if (typeof name !== 'string' || root === undefined) return;
  const { features } = await search(root, name, new AbortController().signal);
  const found = features.find((feature) => feature.properties.label === name) ?? features[0];
  const box = boxOf(found?.geometry ?? null);
  if (!found?.geometry || !box) {
    announcement.value = t('search.none', { text: name });
    return;
  }
  shape.value = { type: 'Feature', geometry: found.geometry, properties: {} };
  map.peek()?.showBox(box);
}
