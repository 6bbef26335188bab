/** What drawing needs of the map: Terra Draw loaded when first wanted, one drawing at a time, its layers kept. */

import { effect } from '@preact/signals';
import type { Geometry } from 'geojson';
import type { Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import { changeShape } from '../state/editing';
import { WATER } from './scenarios/results';
import * as session from '../state/session';
import type { CityMap } from '../state/session';
import type { Edited } from './drawing';

export type Drawn = Pick<CityMap, 'drawArea' | 'drawShape' | 'stopDrawing' | 'showShape'>;

/** The colour of what is being drawn: seen on the map by day and by night. */
const INK = '#d6336c';
const OWN = /^(td|vehicles)-/;

/**
 * A style is compared as a whole; what drawing and vehicles have added to the one before belongs to the next as well,
 * and the picture of water lies where it was put last.
 */
export function keepOwn(previous: StyleSpecification | undefined, given: StyleSpecification): StyleSpecification {
  const water = given.sources[WATER] && previous?.sources[WATER];
  const next = water ? { ...given, sources: { ...given.sources, [WATER]: water } } : given;
  const layers = previous?.layers.filter((layer) => OWN.test(layer.id)) ?? [];
  if (!previous || layers.length === 0) return next;
  const sources = Object.fromEntries(Object.entries(previous.sources).filter(([id]) => OWN.test(id)));
  return { ...next, sources: { ...next.sources, ...sources }, layers: [...next.layers, ...layers] };
}

/** The map's part in drawing; `stop` takes it down. */
export function drawingHands(map: MapLibre): { handle: Drawn; stop: () => void } {
  let abort = new AbortController();
  let edited: Edited | null = null;

  const draw = async (kind: Parameters<Drawn['drawShape']>[0], hint: 'area' | 'shape') => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    session.drawing.value = { hint };
    try {
      const { drawShape } = await import('./drawing');
      return signal.aborted ? null : await drawShape(map, kind, INK, signal);
    } finally {
      if (!signal.aborted) session.drawing.value = null;
    }
  };

  const followEditing = effect(() => {
    const shown = session.editing.value;
    const wanted = shown?.shape ?? null;
    if (wanted && !edited) {
      edited = { set: () => undefined, stop: () => undefined };
      void begin(wanted);
    } else if (!shown && edited) {
      edited.stop();
      edited = null;
    }
  });

  const begin = async (shape: Geometry): Promise<void> => {
    const { editShape } = await import('./drawing');
    if (session.editing.peek()) edited = editShape(map, shape, INK, changeShape);
  };

  return {
    handle: {
      async drawArea() {
        const { corners } = await import('./drawing');
        return corners(await draw('polygon', 'area'));
      },
      drawShape: (kind) => draw(kind, 'shape'),
      stopDrawing() {
        abort.abort();
        session.drawing.value = null;
      },
      showShape: (shape) => edited?.set(shape),
    },
    stop() {
      followEditing();
      abort.abort();
      edited?.stop();
    },
  };
}
