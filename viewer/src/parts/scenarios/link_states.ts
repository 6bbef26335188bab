/** The states of a link of a traffic run, asked of its layer. */

import type { FeatureCollection } from 'geojson';
import { getJson } from '../../api/client';
import { authorization, type ResultLayer } from '../../api/scenarios';

/** What the layers of traffic say of a link in a state. */
export interface LinkState {
  readonly hour: number;
  readonly volume: number;
  readonly load: number;
  readonly speed_kmh: number;
  readonly delay_s: number;
  readonly valid_from: string | null;
}

export async function statesOf(root: string, { id, times }: ResultLayer, uid: string, signal: AbortSignal): Promise<readonly LinkState[]> {
  // Objects are told of as they are at one moment: a question a state, of which a run has 48 at most.
  const moments = times.length > 1 ? times.map((time) => ({ datetime: new Date(time).toISOString() })) : [{}];
  const found = await Promise.all(
    moments.map((at) => {
      const values = new URLSearchParams({ filter: `uid = '${uid}'`, limit: '1', skipGeometry: 'true', ...at });
      return getJson<FeatureCollection>(`${root}/collections/${id}/items?${values}`, signal, authorization());
    }),
  );
  return found.flatMap(({ features }) => features.map(({ properties }) => properties as unknown as LinkState));
}
