/** The city's layers: their order on the map, their grouping by theme, and what the view says of each. */

import type { StyleSpecification } from 'maplibre-gl';
import type { Collection, Theme } from '../api/documents';
import type { LayerView } from './view';

export interface ThemeGroup {
  readonly theme: Theme;
  /** Topmost first. */
  readonly layers: readonly Collection[];
}

/** The layer a style layer draws, from the server's metadata; null for background and sky. */
export function layerOf(styleLayer: StyleSpecification['layers'][number]): string | null {
  const id = (styleLayer.metadata as Readonly<Record<string, unknown>> | undefined)?.['twin:layer'];
  return typeof id === 'string' ? id : null;
}

/** Whether a layer is the result of a scenario's run: those are shown with their run. */
export function isResult({ id }: Pick<Collection, 'id'>): boolean {
  return /^run_[0-9a-f]{12}_/.test(id);
}

/**
 * Layer ids as the style draws them, topmost first: a layer stands where its highest area, line or point does,
 * since solids and labels lie above everything. Layers that the style does not draw follow in the catalogue's order.
 */
export function drawingOrder(style: StyleSpecification, collections: readonly Collection[]): string[] {
  const place = new Map<string, number>();
  style.layers.forEach((layer, index) => {
    const id = layerOf(layer);
    if (id !== null && (isFlatLayer(layer) || !place.has(id))) place.set(id, index);
  });
  const listed = [...collections].sort((a, b) => a.twin.theme.order - b.twin.theme.order || a.twin.order - b.twin.order);
  const rank = (id: string): number => place.get(id) ?? -1;
  return listed.map((collection) => collection.id).sort((a, b) => rank(b) - rank(a));
}

/** Whether a style layer lies in the plane of the map: labels and solids stand above it, whatever their layer. */
export function isFlatLayer(layer: StyleSpecification['layers'][number]): boolean {
  return layer.type !== 'symbol' && layer.type !== 'fill-extrusion';
}

/**
 * The view's layers made whole: the catalogue's layers in the view's order, those the view does not know yet
 * where the style has them, those the catalogue does not know dropped.
 */
export function completeLayers(
  layers: readonly LayerView[],
  collections: readonly Collection[],
  order: readonly string[],
): LayerView[] {
  const known = new Map(collections.map((collection) => [collection.id, collection]));
  const result = layers.filter((layer) => known.has(layer.id));
  const present = new Set(result.map((layer) => layer.id));
  order.forEach((id, index) => {
    const collection = known.get(id);
    if (!collection || present.has(id)) return;
    const above = order.slice(0, index).reverse().find((other) => present.has(other));
    const at = above === undefined ? 0 : result.findIndex((layer) => layer.id === above) + 1;
    result.splice(at, 0, { id, visible: collection.twin.visible, opacity: 1 });
    present.add(id);
  });
  return result;
}

/** The layers grouped by theme; themes stand in the order of their topmost layer. */
export function groupByTheme(layers: readonly LayerView[], collections: readonly Collection[]): ThemeGroup[] {
  const byId = new Map(collections.map((collection) => [collection.id, collection]));
  const groups = new Map<string, { theme: Theme; layers: Collection[] }>();
  for (const { id } of layers) {
    const collection = byId.get(id);
    if (!collection) continue;
    const theme = collection.twin.theme;
    const group = groups.get(theme.id) ?? { theme, layers: [] };
    group.layers.push(collection);
    groups.set(theme.id, group);
  }
  return [...groups.values()];
}

/** Layer ids from top to bottom as the groups list them, with one theme at another place among the themes. */
export function moveTheme(groups: readonly ThemeGroup[], theme: string, to: number): string[] {
  const from = groups.findIndex((group) => group.theme.id === theme);
  return ids(moved(groups, from, to));
}

/** The same with one layer at another place within its theme. */
export function moveLayer(groups: readonly ThemeGroup[], layer: string, to: number): string[] {
  return ids(
    groups.map((group) => {
      const from = group.layers.findIndex((collection) => collection.id === layer);
      return from < 0 ? group : { ...group, layers: moved(group.layers, from, to) };
    }),
  );
}

/** The layers in the order of the ids; those not named keep their order below. */
export function inOrder(layers: readonly LayerView[], order: readonly string[]): LayerView[] {
  const rank = (layer: LayerView): number => (order.includes(layer.id) ? order.indexOf(layer.id) : order.length);
  return [...layers].sort((a, b) => rank(a) - rank(b));
}

export function changeLayer(
  layers: readonly LayerView[],
  ids: readonly string[],
  patch: Partial<Omit<LayerView, 'id'>>,
): readonly LayerView[] {
  return layers.map((layer) => (ids.includes(layer.id) ? { ...layer, ...patch } : layer));
}

function ids(groups: readonly ThemeGroup[]): string[] {
  return groups.flatMap((group) => group.layers.map((collection) => collection.id));
}

function moved<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const item = list[from];
  if (item === undefined || to < 0 || to >= list.length) return list;
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}
