/** Which of two maps is meant. */

import { computed, signal } from '@preact/signals';
import type { Map as MapLibre, Point } from 'maplibre-gl';
import { comparing } from '../../state/scenarios/runs';
import { drawing } from '../../state/session';
import { view } from '../../state/store';

/** The map with the run beside the open one, while there is one. */
export const secondMap = signal<MapLibre | null>(null);

/** Whether a person draws: then the first map has all of the area. */
export const isDrawing = computed(() => drawing.value !== null);

export function isSecond(map: MapLibre): boolean {
  return map === secondMap.peek();
}

/** The map that is seen at a point of one: right of the line between two runs it is the second, which lies over the first. */
export function paneAt(map: MapLibre, { x }: Point): MapLibre {
  const beyond = comparing.peek() === 'swipe' && x > view.peek().scenario.line * map.getContainer().clientWidth;
  return (beyond && secondMap.peek()) || map;
}
