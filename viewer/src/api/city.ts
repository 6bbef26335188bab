/** What the viewer asks of a server and of one of its cities. */

import type { StyleSpecification } from 'maplibre-gl';
import { getJson, onServer, serverRoot } from './client';
import { withTileJson } from './sources';
import type { City, CityEntry, Collection, Item, ItemPage, SearchAnswer } from './documents';

export async function getCities(): Promise<readonly CityEntry[]> {
  return (await getJson<{ cities: readonly CityEntry[] }>(`${serverRoot()}cities`)).cities;
}

/** Root of a city's addresses, without a slash at the end. */
export function cityRoot(entry: CityEntry): string {
  return onServer(entry.url).replace(/\/$/, '');
}

export function getCity(root: string, signal: AbortSignal): Promise<City> {
  return getJson<City>(`${root}/city`, signal);
}

export async function getCollections(root: string, signal: AbortSignal): Promise<readonly Collection[]> {
  return (await getJson<{ collections: readonly Collection[] }>(`${root}/collections`, signal)).collections;
}

/** A style of the city, with all that its sources say of themselves. MapLibre's worker needs whole addresses. */
export async function getStyle(root: string, name: string, signal: AbortSignal): Promise<StyleSpecification> {
  const style = await getJson<StyleSpecification>(`${root}/styles/${name}`, signal);
  return withTileJson(style, (address) => getJson(address, signal), onServer);
}

export function itemAddress(root: string, layer: string, id: string, date: string | null): string {
  const query = date === null ? '' : `?datetime=${date}`;
  return `${root}/collections/${layer}/items/${encodeURIComponent(id)}${query}`;
}

export function getItem(address: string, signal: AbortSignal): Promise<Item> {
  return getJson<Item>(address, signal);
}

export interface ItemsQuery {
  readonly bbox: string;
  readonly limit: number;
  readonly date: string | null;
}

export function itemsAddress(root: string, layer: string, query: ItemsQuery): string {
  const values = new URLSearchParams({ bbox: query.bbox, limit: String(query.limit) });
  if (query.date !== null) values.set('datetime', query.date);
  return `${root}/collections/${layer}/items?${values}`;
}

export function getItems(address: string, signal: AbortSignal): Promise<ItemPage> {
  return getJson<ItemPage>(address, signal);
}

/** Address of the page after this one; null after the last. */
export function nextPage(page: ItemPage): string | null {
  const next = page.links?.find((link) => link.rel === 'next');
  return next ? onServer(next.href) : null;
}

export function search(root: string, text: string, signal: AbortSignal): Promise<SearchAnswer> {
  return getJson<SearchAnswer>(`${root}/search?${new URLSearchParams({ q: text, limit: '8' })}`, signal);
}
