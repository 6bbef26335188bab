/** Loads what the view asks for: the cities, then the city, its catalogue and style. */

import { computed, effect } from '@preact/signals';
import { cityRoot, getCities, getCity, getCollections, getStyle } from '../api/city';
import { isAbort, ServerRefused, ServerUnreachable } from '../api/client';
import type { City, CityEntry } from '../api/documents';
import { splitSources } from '../api/sources';
import { completeLayers, drawingOrder, isResult } from './catalogue';
import { NO_SCENARIO } from './scenarios/view';
import { NO_SENSING } from './sensing/view';
import * as session from './session';
import type { LoadedCity } from './session';
import { field, update, view } from './store';
import type { Camera, LayerView, StyleName } from './view';

/** Milliseconds between two tries to reach a server that is gone. */
const RETRY_DELAY = 4000;

const name = field('city');
const styleName = field('style');
const camera = field('camera');
const layers = field('layers');

/** The city that is chosen; the default one before a choice and for a name that no city has. */
export const chosen = computed<CityEntry | null>(() => {
  const list = session.cities.value ?? [];
  return list.find((entry) => entry.name === name.value) ?? list.find((entry) => entry.default) ?? list[0] ?? null;
});

export function startLoading(): void {
  void loadCities();
  effect(() => {
    if (!session.isEmpty.value) return;
    const timer = window.setInterval(() => void loadCities(), RETRY_DELAY);
    return () => window.clearInterval(timer);
  });
  effect(() => {
    const entry = chosen.value;
    return entry ? loading((signal) => loadCity(entry, signal)) : undefined;
  });
  effect(() => {
    const loaded = session.city.value;
    const wanted = styleName.value;
    if (!loaded || loaded.collections.length === 0) return;
    return loading((signal) => loadStyle(loaded, wanted, signal));
  });
  completeView();
}

/** A link may leave out the city, the camera and the layers; what it leaves out is as the server has it. */
function completeView(): void {
  effect(() => {
    const entry = chosen.value;
    if (!entry || name.value === entry.name) return;
    session.unknownCity.value = name.value;
    update({ city: entry.name });
  });
  effect(() => {
    const loaded = session.city.value;
    if (loaded?.entry.name === name.value && camera.value === null) update({ camera: home(loaded.document) });
  });
  effect(() => {
    const loaded = session.city.value;
    const drawn = session.style.value;
    if (!loaded || drawn?.city !== loaded.entry.name || name.value !== drawn.city) return;
    const complete = completeLayers(layers.value, loaded.collections, drawn.order);
    if (ids(complete) !== ids(layers.value)) update({ layers: complete });
  });
}

function ids(list: readonly LayerView[]): string {
  return list.map((layer) => layer.id).join();
}

/** Where a city is looked at from at first. */
export function home(document: City): Camera {
  const { center, zoom, pitch = 0, bearing = 0 } = document.view;
  return { lng: center[0], lat: center[1], zoom, bearing, pitch: view.peek().is3d ? pitch : 0 };
}

/** Asks again which cities there are, and so for the one that is chosen. */
export async function loadCities(): Promise<void> {
  try {
    session.cities.value = await getCities();
    session.trouble.value = null;
  } catch (error) {
    report(error, () => void loadCities());
  }
}

/** For a map whose tiles find no server any more: waits until it is back, then loads all anew. */
export function awaitServer(): void {
  if (session.trouble.peek()) return;
  report(new ServerUnreachable(), () => void loadCities().then(() => session.map.peek()?.reloadTiles()));
}

export function switchCity(city: string): void {
  if (city === view.peek().city) return;
  session.unknownCity.value = null;
  session.hits.value = [];
  update({ city, camera: null, layers: [], selected: null, date: null, filters: {}, table: null, sensing: NO_SENSING, scenario: NO_SCENARIO });
}

async function loadCity(entry: CityEntry, signal: AbortSignal): Promise<void> {
  const root = cityRoot(entry);
  const [document, all] = await Promise.all([getCity(root, signal), getCollections(root, signal)]);
  // A layer without objects has nothing to show or to switch.
  const collections = all.filter((collection) => collection.twin.count !== 0 && !isResult(collection));
  session.city.value = { entry, root, document, collections };
}

async function loadStyle(loaded: LoadedCity, wanted: StyleName, signal: AbortSignal): Promise<void> {
  const style = await getStyle(loaded.root, wanted, signal);
  const order = drawingOrder(style, loaded.collections);
  const complete = completeLayers(layers.peek(), loaded.collections, order);
  const shown = new Set(complete.filter((layer) => layer.visible).map((layer) => layer.id));
  session.style.value = { city: loaded.entry.name, style: splitSources(style, shown), order };
}

// Runs a load; the effect's clean-up aborts it when the view asks for something else.
function loading(run: (signal: AbortSignal) => Promise<void>): () => void {
  const abort = new AbortController();
  const attempt = (): void => {
    run(abort.signal).then(
      () => {
        session.trouble.value = null;
      },
      (error: unknown) => {
        if (!abort.signal.aborted && !isAbort(error)) report(error, attempt);
      },
    );
  };
  attempt();
  return () => abort.abort();
}

let nextTry: number | undefined;

/** Shows a failure with a way to try again; a server that is gone is asked again by itself. */
export function report(error: unknown, retry: () => void): void {
  window.clearTimeout(nextTry);
  if (error instanceof ServerRefused) {
    session.trouble.value = { kind: 'refused', reason: error.message, status: error.status, retry };
  } else if (error instanceof ServerUnreachable) {
    session.trouble.value = { kind: 'unreachable', reason: error.message, retry };
    nextTry = window.setTimeout(retry, RETRY_DELAY);
  } else {
    session.trouble.value = { kind: 'unknown', reason: error instanceof Error ? error.message : String(error), retry };
  }
}
