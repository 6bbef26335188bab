/** Which sensors' or which event's card is open; one card at a time. */

import * as session from '../session';
import { update, view } from '../store';
import { MOST_STREAMS, type SensingView } from './view';

/** The layer of the catalogue that has the events, for whoever wants them with its table, filters and downloads. */
export const EVENT_LAYER = 'events';

export function changeSensing(patch: Partial<SensingView>): void {
  update({ sensing: { ...view.peek().sensing, ...patch } });
}

/** The view of the sensors with no card open, for when a city object is selected. */
export function withoutCards(): SensingView {
  return { ...view.peek().sensing, streams: [], event: null };
}

/** Opens a sensor's card; beside those that are open already where they are to be compared. */
export function openSensor(id: number, compare = false, opener: Element | null = null): void {
  const open = view.peek().sensing.streams;
  const streams = compare ? [...open.filter((each) => each !== id), id].slice(-MOST_STREAMS) : [id];
  turnTo({ streams, event: null }, opener);
}

export function openEvent(id: number, opener: Element | null = null): void {
  turnTo({ streams: [], event: id }, opener);
}

export function removeStream(id: number): void {
  changeSensing({ streams: view.peek().sensing.streams.filter((each) => each !== id) });
}

export function closeCard(): void {
  const from = session.opener.peek()?.element;
  update({ sensing: withoutCards() });
  if (from instanceof HTMLElement && from.isConnected) from.focus();
  else session.map.peek()?.focus();
}

function turnTo(patch: Partial<SensingView>, opener: Element | null): void {
  session.hits.value = [];
  session.opener.value = opener ? { element: opener } : null;
  session.shape.value = { type: 'FeatureCollection', features: [] };
  update({ selected: null, sensing: { ...view.peek().sensing, ...patch } });
}
