/** What the map says when tiles do not come. */

import type { ErrorEvent } from 'maplibre-gl';
import { awaitServer } from '../state/load';
import * as session from '../state/session';

/** MapLibre's status of a request that nobody answered. */
const NO_ANSWER = 0;
/** A server under load refuses at once instead of letting requests queue: the same tiles come a little later. */
const BUSY = 503;
const RELOAD_DELAY = 3000;
let nextReload: number | undefined;

export function onMapError(event: ErrorEvent & { sourceId?: string; tile?: unknown }): void {
  const { error } = event;
  if (error instanceof DOMException && error.name === 'AbortError') return;
  if (event.tile === undefined && event.sourceId === undefined) {
    console.error(error);
    return;
  }
  const status = 'status' in error && typeof error.status === 'number' ? error.status : null;
  if (status === NO_ANSWER) {
    awaitServer();
    return;
  }
  session.tileTrouble.value = status === null ? error.message : `HTTP ${status}`;
  if (status === BUSY) {
    window.clearTimeout(nextReload);
    nextReload = window.setTimeout(() => session.map.peek()?.reloadTiles(), RELOAD_DELAY);
  }
}
