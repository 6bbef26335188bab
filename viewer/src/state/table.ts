/** The table that is open: of which layer, which of its objects, in which order. */

import { computed } from '@preact/signals';
import type { Collection } from '../api/documents';
import type { ItemsQuery } from '../api/city';
import { countRules, NO_FILTER, toCql2, type LayerFilter } from './filter';
import * as session from './session';
import { field, update, view } from './store';
import type { TableView } from './view';

/** Columns shown at first. */
const COLUMNS = 8;
/** What the source called an object, and what stands in a column of its own or says little. */
const DULL = new Set(['uid', 'cim_level', 'village_code', 'name_en']);

const table = field('table');
const filters = field('filters');
const camera = field('camera');
const date = field('date');

export const tableLayer = computed<Collection | null>(() => {
  const wanted = table.value;
  return (wanted && tabular().find((collection) => collection.id === wanted.layer)) ?? null;
});

/** The layers that have objects to list. */
export function tabular(): readonly Collection[] {
  return (session.city.value?.collections ?? []).filter((collection) => collection.twin.geometry !== 'raster');
}

export function filterOf(layer: string): LayerFilter {
  return filters.value[layer] ?? NO_FILTER;
}

export function setFilter(layer: string, filter: LayerFilter): void {
  const { [layer]: _, ...others } = view.peek().filters;
  const says = filter.group.parts.length > 0 || countRules(filter) > 0;
  update({ filters: says ? { ...others, [layer]: filter } : others });
}

export function openTable(layer: string, part: 'filter' | 'summary' | null = null): void {
  session.dockPart.value = part;
  if (view.peek().table?.layer !== layer) update({ table: { layer, sort: null, columns: null } });
}

export function closeTable(): void {
  session.dockPart.value = null;
  update({ table: null });
}

export function changeTable(change: Partial<TableView>): void {
  const now = view.peek().table;
  if (now) update({ table: { ...now, ...change } });
}

/** Names of the columns shown, the object number aside. */
export function columnsOf(layer: Collection, wanted: TableView | null): readonly string[] {
  const known = layer.twin.properties.map((property) => property.name);
  const chosen = wanted?.columns?.filter((name) => known.includes(name));
  return chosen ?? known.filter((name) => !DULL.has(name)).slice(0, COLUMNS);
}

/** Which of a layer's objects are meant: its filter, the box in view where that is asked for, the day. */
export function selectionOf(layer: string): Pick<ItemsQuery, 'bbox' | 'date' | 'filter'> {
  const filter = filterOf(layer);
  // Read so that the selection follows the camera; the map alone knows the box that belongs to it.
  const bounds = filter.inView && camera.value ? session.map.value?.bounds() : null;
  return { bbox: bounds ? bounds.map((value) => value.toFixed(6)).join(',') : null, date: date.value, filter: toCql2(filter) };
}
