/** What the viewer asks of ways: areas reached in some minutes, routes, and car parks by the time to drive there. */

import type { Feature, FeatureCollection, Geometry, LineString, Point, Position } from 'geojson';
import { authorization } from './scenarios';
import { getJson } from './client';

export type Mode = 'car' | 'lorry' | 'walk';
export type Direction = 'from' | 'to';

/** The roads that ways are looked for on: empty, or those of a run at a moment. */
export interface Roads {
  readonly mode: Mode;
  readonly run: { readonly kind: 'traffic' | 'flood'; readonly id: string; readonly at: string | null } | null;
}

/** minutes, km2 and people are those of all that is within the time; the shape is without what is nearer. */
export type Reached = Feature<Geometry, { readonly minutes: number; readonly km2: number; readonly people: number | null }>;

export type Route = Feature<
  LineString,
  { readonly seconds: number; readonly metres: number; readonly streets: readonly { readonly name: string | null; readonly name_en: string | null; readonly metres: number }[] }
>;

export type CarPark = Feature<
  Point,
  {
    readonly name: string | null;
    readonly name_en: string | null;
    readonly seconds: number;
    readonly capacity: number | null;
    readonly state: 'ok' | 'silent' | 'unknown';
    readonly free: number | null;
    readonly forecast: readonly { readonly minutes: number; readonly free: number | null }[];
  }
>;

const MOST_CAR_PARKS = 20;

export async function getReach(root: string, place: Position, minutes: readonly number[], direction: Direction, roads: Roads, signal: AbortSignal): Promise<readonly Reached[]> {
  const values = { coords: point(place), minutes: minutes.join(), direction, people: 'true', rings: 'true', ...given(roads) };
  return (await asked<FeatureCollection>(`${root}/traffic/isochrones`, values, signal)).features as unknown as readonly Reached[];
}

export function getRoute(root: string, from: Position, to: Position, roads: Roads, signal: AbortSignal): Promise<Route> {
  return asked<Route>(`${root}/traffic/route`, { from: point(from), to: point(to), ...given(roads) }, signal);
}

export async function getCarParks(root: string, place: Position, signal: AbortSignal): Promise<readonly CarPark[]> {
  const found = await asked<FeatureCollection>(`${root}/traffic/parking`, { coords: point(place), limit: String(MOST_CAR_PARKS) }, signal);
  return found.features as unknown as readonly CarPark[];
}

function asked<T>(address: string, values: Readonly<Record<string, string>>, signal: AbortSignal): Promise<T> {
  return getJson<T>(`${address}?${new URLSearchParams(values)}`, signal, authorization());
}

function given({ mode, run }: Roads): Record<string, string> {
  if (!run) return { mode };
  return { mode, [run.kind === 'flood' ? 'flood_run' : 'run']: run.id, ...(run.at === null ? {} : { datetime: run.at }) };
}

function point([lng = 0, lat = 0]: Position): string {
  return `POINT(${lng.toFixed(6)} ${lat.toFixed(6)})`;
}
