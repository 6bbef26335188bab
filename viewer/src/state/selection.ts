/** The selected object: chosen on the map, in a list or by a link; its full attributes come from the server. */

import { computed, effect } from '@preact/signals';
import { getItem, itemAddress } from '../api/city';
import { getLayer } from '../api/scenarios';
import { isAbort, ServerRefused } from '../api/client';
import type { Box } from '../api/documents';
import type { Place } from '../geo/coordinates';
import { isResult } from './catalogue';
import { momentOf } from './scenarios/moments';
import { EVENT_LAYER, openEvent, withoutCards } from './sensing/cards';
import * as session from './session';
import type { Hit } from './session';
import { update, view } from './store';
import type { Selection } from './view';

const EMPTY = { type: 'FeatureCollection' as const, features: [] };

const wanted = computed(() => {
  const { selected, date } = view.value;
  if (!selected || !session.city.value) return null;
  // What a run gave has the run's times, not the city's.
  const at = isResult({ id: selected.layer }) ? momentOf(selected.layer) : date;
  return itemAddress(session.city.value.root, selected.layer, selected.id, at);
});

export function watchSelection(): void {
  effect(() => {
    // A link may name an event as an object of its layer.
    const { selected } = view.value;
    if (selected?.layer === EVENT_LAYER) choose(selected);
  });
  effect(() => {
    const address = wanted.value;
    // Read again after it was written.
    void session.written.value;
    if (address === null) {
      session.card.value = null;
      return;
    }
    const abort = new AbortController();
    session.card.value = { status: 'loading' };
    void open(address, unknownLayer(), abort.signal);
    return () => abort.abort();
  });
}

/** Opens the card of an object chosen from a list, and moves the focus to it; with its box, the map goes there. */
export function select(selection: Selection, box: Box | null = null): void {
  session.hits.value = [];
  session.opener.value = { element: document.activeElement };
  choose(selection);
  if (box) session.map.peek()?.showBox(box);
}

/** Opens the topmost of several objects at one place; the card lists the others. */
export function selectHits(found: readonly Hit[]): void {
  session.hits.value = found;
  session.opener.value = null;
  const top = found[0];
  if (top) choose({ layer: top.layer, id: top.id });
  else clearSelection();
}

export function selectHit(hit: Hit): void {
  choose({ layer: hit.layer, id: hit.id });
}

export function clearSelection(): void {
  session.hits.value = [];
  session.shape.value = EMPTY;
  choose(null);
}

/** Opens the card of an object, in place of a sensor's or an event's; null closes it. The focus stays where it is. */
export function choose(selected: Selection | null): void {
  // Events are a layer, too; what may be done about one stands on its own card.
  if (selected?.layer === EVENT_LAYER) return openEvent(Number(selected.id), session.opener.peek()?.element ?? null);
  update({ selected, sensing: withoutCards() });
}

/** The object of a layer whose card is open. */
export function chosenOf(layer: string): string | null {
  const { selected, sensing } = view.value;
  if (layer === EVENT_LAYER) return sensing.event === null ? null : String(sensing.event);
  return selected?.layer === layer ? selected.id : null;
}

/** Marks a bare place on the map and goes there. */
export function showPlace({ lng, lat }: Place): void {
  clearSelection();
  session.shape.value = { type: 'Feature', geometry: { type: 'Point', coordinates: [lng, lat] }, properties: {} };
  session.map.peek()?.showBox([lng, lat, lng, lat]);
}

/** The chosen object's layer, where it is a run's and not on the map; null: it is known. */
function unknownLayer(): string | null {
  const id = view.peek().selected?.layer ?? '';
  return isResult({ id }) && !session.resultLayers.peek().some((layer) => layer.id === id) ? id : null;
}

async function open(address: string, unknown: string | null, signal: AbortSignal): Promise<void> {
  try {
    const asked = unknown === null ? null : getLayer(session.city.peek()?.root ?? '', unknown, signal);
    const [item, layer] = await Promise.all([getItem(address, signal), asked]);
    session.card.value = { status: 'ready', item, layer };
    session.shape.value = item.geometry ? { type: 'Feature', geometry: item.geometry, properties: {} } : EMPTY;
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    session.shape.value = EMPTY;
    const missing = error instanceof ServerRefused && error.status === 404;
    const reason = error instanceof Error ? error.message : String(error);
    session.card.value = missing ? { status: 'missing' } : { status: 'failed', reason };
  }
}
