/** Links of two runs of traffic, one by one: what one has more than the other. Pure. */

import type { Feature, FeatureCollection, LineString } from 'geojson';
import type { Measure } from './view';

/** What is compared of a link in a state. */
export interface LinkState {
  readonly uid: string;
  readonly name: string | null;
  readonly name_en: string | null;
  /** Of the city's clock. */
  readonly hour: number;
  readonly volume: number;
  readonly speed_kmh: number;
  readonly delay_s: number;
  readonly load: number;
}

export type Link = Feature<LineString, LinkState>;

/** A link with both values. run: whose object it is; new: a road that only this run has. */
export interface Difference {
  readonly run: 'a' | 'b';
  readonly uid: string;
  readonly name: string | null;
  readonly name_en: string | null;
  /** null: nobody uses the link in that run, or it is not there. */
  readonly a: number | null;
  readonly b: number | null;
  /** Second less first; null: cannot be told. */
  readonly change: number | null;
  readonly isNew: boolean;
}

export type Differences = FeatureCollection<LineString, Difference>;

/** Unit (UCUM), and from where on a class of difference begins; a greater value is worse or, of speed, better. */
export const MEASURED: Readonly<Record<Measure, { readonly unit: string; readonly classes: readonly [number, number, number, number]; readonly worse: 1 | -1 }>> = {
  volume: { unit: 'pcu/h', classes: [10, 50, 200, 600], worse: 1 },
  speed_kmh: { unit: 'km/h', classes: [1, 5, 10, 20], worse: -1 },
  delay_s: { unit: 's', classes: [1, 5, 20, 60], worse: 1 },
  load: { unit: '1', classes: [0.02, 0.1, 0.2, 0.4], worse: 1 },
};

/** All links that differ enough to be told or are new, the least first, so that the greatest are drawn over them. */
export function differencesOf(first: readonly Link[], second: readonly Link[], measure: Measure): Differences {
  const others = new Map(second.map((link) => [keyOf(link), link]));
  const met = new Set<string>();
  const features: Differences['features'] = [];
  const take = (link: Link, run: 'a' | 'b', a: Link | null, b: Link | null): void => {
    const { uid, name, name_en } = link.properties;
    const isNew = isDrawn(uid) && (!a || !b);
    const change = changeOf(a, b, measure);
    if (!isNew && (change === null || Math.abs(change) < MEASURED[measure].classes[0])) return;
    const properties = { run, uid, name, name_en, a: a?.properties[measure] ?? null, b: b?.properties[measure] ?? null, change, isNew };
    features.push({ type: 'Feature', geometry: link.geometry, properties, ...(link.id === undefined ? {} : { id: link.id }) });
  };
  for (const link of first) {
    const other = others.get(keyOf(link)) ?? null;
    if (other) met.add(keyOf(other));
    take(other ?? link, other ? 'b' : 'a', link, other);
  }
  for (const link of second) if (!met.has(keyOf(link))) take(link, 'b', null, link);
  return { type: 'FeatureCollection', features: features.sort((x, y) => Math.abs(x.properties.change ?? 0) - Math.abs(y.properties.change ?? 0)) };
}

/** Roads that a run was drawn are numbered anew in each: those are the same where they lie alike. */
function keyOf({ properties: { uid }, geometry }: Link): string {
  return isDrawn(uid) ? `${uid} ${geometry.coordinates.join(' ')}` : uid;
}

function isDrawn(uid: string): boolean {
  return uid.startsWith('-');
}

// A link that nobody uses has no volume, load or delay; how fast it is then is not told.
function changeOf(a: Link | null, b: Link | null, measure: Measure): number | null {
  if (measure === 'speed_kmh' && (!a || !b)) return null;
  return Number(((b?.properties[measure] ?? 0) - (a?.properties[measure] ?? 0)).toPrecision(10));
}

/** The roads whose links differ most, each by that link. */
export function mostChanged({ features }: Differences, count: number): Differences['features'] {
  const roads = new Map<string, Differences['features'][number]>();
  for (const link of [...features].reverse()) {
    const road = link.properties.name ?? link.properties.uid.replace(/-\d+$/, '');
    if (!roads.has(road) && link.properties.change !== null && link.properties.change !== 0) roads.set(road, link);
  }
  return [...roads.values()].slice(0, count);
}
