/** What the viewer asks of a server and of one of its cities. */

import type { StyleSpecification } from 'maplibre-gl';
import { getJson, onServer, serverRoot } from './client';
import { authorization } from './scenarios';
import { withTileJson } from './sources';
import type { City, CityEntry, Collection, Item, ItemPage, SearchAnswer, Statistics } from './documents';

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
  return getJson<Item>(address, signal, authorization());
}

/** Which of a layer's objects, and what of them. */
export interface ItemsQuery {
  readonly bbox?: string | null;
  readonly date?: string | null;
  /** CQL2 text. */
  readonly filter?: string | null;
  readonly sortby?: string | null;
  readonly limit?: number;
  /** Only these properties, and no geometry; everything by default. */
  readonly properties?: readonly string[];
  /** Format of a file. */
  readonly f?: string;
}

export function itemsAddress(root: string, layer: string, query: ItemsQuery): string {
  const { properties, limit, sortby, f } = query;
  const values = selectionValues(query);
  if (sortby) values.set('sortby', sortby);
  if (limit !== undefined) values.set('limit', String(limit));
  if (properties) {
    values.set('properties', properties.join(','));
    values.set('skipGeometry', 'true');
  }
  if (f !== undefined) values.set('f', f);
  return `${root}/collections/${layer}/items?${values}`;
}

function selectionValues({ bbox, date, filter }: Pick<ItemsQuery, 'bbox' | 'date' | 'filter'>): URLSearchParams {
  const values = new URLSearchParams();
  if (bbox) values.set('bbox', bbox);
  if (date) values.set('datetime', date);
  if (filter) values.set('filter', filter);
  return values;
}

export interface StatisticsQuery extends Pick<ItemsQuery, 'bbox' | 'date' | 'filter'> {
  /** A property, or a level of administration. */
  readonly by: string;
  readonly measure: 'area' | 'length' | null;
  readonly unit: string | null;
}

export function statisticsAddress(root: string, layer: string, query: StatisticsQuery): string {
  const values = selectionValues(query);
  values.set('by', query.by);
  values.set('functions', query.measure ? 'count,sum' : 'count');
  if (query.measure) values.set('measure', query.measure);
  if (query.unit) values.set('unit', query.unit);
  return `${root}/collections/${layer}/aggregate?${values}`;
}

export function getStatistics(address: string, signal: AbortSignal): Promise<Statistics> {
  return getJson<Statistics>(address, signal);
}

/** A file that the server makes of a selection. */
export interface FileFormat {
  readonly name: string;
  readonly title: string;
}

/** The files that a page offers of all that it is a page of. */
export function fileFormats(page: ItemPage): FileFormat[] {
  return (page.links ?? []).flatMap(({ rel, href, title }) => {
    const name = rel === 'enclosure' ? new URL(onServer(href)).searchParams.get('f') : null;
    return name === null ? [] : [{ name, title: title ?? name }];
  });
}

export function getItems(address: string, signal: AbortSignal): Promise<ItemPage> {
  return getJson<ItemPage>(address, signal, authorization());
}

/** Address of the page after this one; null after the last. */
export function nextPage(page: ItemPage): string | null {
  const next = page.links?.find((link) => link.rel === 'next');
  return next ? onServer(next.href) : null;
}

/** near: longitude and latitude from which the nearest comes first. */
export function search(root: string, text: string, signal: AbortSignal, near: readonly [number, number] | null = null): Promise<SearchAnswer> {
  const values = new URLSearchParams({ q: text, limit: '12' });
  if (near) values.set('near', near.map((degrees) => degrees.toFixed(5)).join(','));
  return getJson<SearchAnswer>(`${root}/search?${values}`, signal);
}
