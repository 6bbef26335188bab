/** A map that shows the style that is wanted of it, changed only in what differs. */

import { effect, type ReadonlySignal } from '@preact/signals';
import type { Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import { keepOwn } from './hands';
import { symbolNames, withoutSensing } from './sensing/sensors';
import { addSymbols } from './sensing/symbols';
import { sensing } from './wanted';

const EMPTY: StyleSpecification = { version: 8, sources: {}, layers: [] };

/** What a map begins with: the sensors follow once it can hold their pictures. */
export function firstStyle(wanted: ReadonlySignal<StyleSpecification | null>): StyleSpecification {
  return withoutSensing(wanted.peek() ?? EMPTY);
}

// A style given before the one before it has loaded would be built anew instead of compared, so it waits.
export function followStyle(map: MapLibre, wanted: ReadonlySignal<StyleSpecification | null>): () => void {
  let pending: StyleSpecification | null = null;
  let loaded = false;
  let stopped = false;
  const apply = (): void => {
    if (!pending || !loaded || stopped) return;
    addSymbols(map, symbolNames(sensing.peek()));
    map.setStyle(pending, { diff: true, validate: false, transformStyle: keepOwn });
    pending = null;
  };
  map.once('style.load', () => {
    loaded = true;
    apply();
  });
  const stop = effect(() => {
    if (!wanted.value) return;
    const scheduled = pending !== null;
    pending = wanted.value;
    if (!scheduled && loaded) requestAnimationFrame(apply);
  });
  return () => {
    stopped = true;
    stop();
  };
}
