/** Rows of tables and the places on the map that they tell of. */

import { getItem, itemAddress, search } from '../../api/city';
import { boxOf } from '../../geo/scale';
import { announcement, city, map, shape } from '../../state/session';
import { view } from '../../state/store';
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
  // What is found is a point in it; a township is shown whole.
  const whole = found?.properties.layer ? await getItem(itemAddress(root, found.properties.layer, String(found.properties.object_id), view.peek().date), new AbortController().signal) : found;
  const box = boxOf(whole?.geometry ?? null);
  if (!whole?.geometry || !box) {
    announcement.value = t('search.none', { text: name });
    return;
  }
  shape.value = { type: 'Feature', geometry: whole.geometry, properties: {} };
  map.peek()?.showBox(box);
}
