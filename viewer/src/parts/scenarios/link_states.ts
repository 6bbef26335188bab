/** The states of a link of a traffic run, asked of its layer, and two runs of them side by side. */

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

export interface LinkHour {
  /** Milliseconds since 1970, in the times of the first states; null: the run has one state alone. */
  readonly time: number | null;
  readonly hour: number;
  /** The first and the second state; null: nobody uses the link then. */
  readonly states: readonly [LinkState | null, LinkState | null];
}

/** States by their time, the second ones put back by so many milliseconds. */
export function hoursOf(first: readonly LinkState[], second: readonly LinkState[], later = 0): readonly LinkHour[] {
  const timeOf = ({ valid_from }: LinkState, back: number): number | null => (valid_from === null ? null : Date.parse(valid_from) - back);
  const times = [...new Set([...first.map((each) => timeOf(each, 0)), ...second.map((each) => timeOf(each, later))])].sort((a, b) => (a ?? 0) - (b ?? 0));
  return times.map((time) => {
    const states = [first.find((each) => timeOf(each, 0) === time) ?? null, second.find((each) => timeOf(each, later) === time) ?? null] as const;
    return { time, hour: (states[0] ?? states[1])?.hour ?? 0, states };
  });
}
