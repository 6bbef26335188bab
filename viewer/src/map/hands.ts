/** What drawing needs of the map: one drawing at a time, what changes shapes loaded when first wanted, layers kept. */

import { effect } from '@preact/signals';
import type { Geometry } from 'geojson';
import type { Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import type { Simple } from '../geo/rings';
import { cornersOf, isWhole, kindOf, type Corners, type ShapeKind } from '../geo/sketch';
import { changeShape } from '../state/editing';
import { WATER } from './scenarios/results';
import * as session from '../state/session';
import type { CityMap, Drawing, PanelSize } from '../state/session';
import type { Edited } from './drawing';
import { sketchShape, type Sketch } from './sketch';

export type Drawn = Pick<CityMap, 'drawArea' | 'drawShape' | 'changeShape' | 'takeBack' | 'finishDrawing' | 'stopDrawing' | 'showShape'>;

/** The colour of what is being drawn: seen on the map by day and by night. */
const INK = '#d6336c';
/** Pixels of the page under which the panel is a sheet. */
const SHEET_UNDER = 720;
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
  let hand: Sketch | null = null;
  let edited: Edited | null = null;
  /** How large the panel was before a drawing. */
  let panel: PanelSize | null = null;

  const give = (): void => {
    abort.abort();
    session.drawing.value = null;
  };

  // One at a time: what was begun before is given up.
  const begin = async (work: (signal: AbortSignal) => Promise<Simple | null>): Promise<Simple | null> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    panel ??= session.panelSize.peek();
    // On a phone the panel lies over the map.
    if (window.innerWidth < SHEET_UNDER) session.panelSize.value = 'small';
    try {
      return await work(signal);
    } finally {
      // Another one may have begun.
      if (signal === abort.signal) {
        session.panelSize.value = panel;
        panel = null;
        session.drawing.value = null;
      }
    }
  };

  const follow = (hint: Drawing['hint'], kind: ShapeKind) => (corners: Corners, canTakeBack: boolean) =>
    void (session.drawing.value = { hint, kind, corners, isWhole: isWhole(kind, corners), canTakeBack });

  const draw = (kind: ShapeKind, hint: Drawing['hint']): Promise<Simple | null> =>
    begin((signal) => {
      const told = follow(hint, kind);
      told([], false);
      hand = sketchShape(map, kind, INK, signal, told, give);
      return hand.done;
    });

  const change = (before: Simple): Promise<Simple | null> =>
    begin(async (signal) => {
      const told = follow('change', kindOf(before));
      told(cornersOf(before), false);
      const { reshape } = await import('./drawing');
      if (signal.aborted) return null;
      hand = reshape(map, before, INK, signal, told, give);
      return hand.done;
    });

  const followEditing = effect(() => {
    const shown = session.editing.value;
    const wanted = shown?.shape ?? null;
    if (wanted && !edited) {
      edited = { set: () => undefined, stop: () => undefined };
      void edit(wanted);
    } else if (!shown && edited) {
      edited.stop();
      edited = null;
    }
  });

  const edit = async (shape: Geometry): Promise<void> => {
    const { editShape } = await import('./drawing');
    if (session.editing.peek()) edited = editShape(map, shape, INK, changeShape);
  };

  return {
    handle: {
      async drawArea() {
        const area = await draw('polygon', 'area');
        return area && cornersOf(area);
      },
      drawShape: (kind) => draw(kind, 'shape'),
      changeShape: change,
      takeBack: () => hand?.takeBack(),
      finishDrawing: () => hand?.finish(),
      stopDrawing: give,
      showShape: (shape) => edited?.set(shape),
    },
    stop() {
      followEditing();
      abort.abort();
      edited?.stop();
    },
  };
}
