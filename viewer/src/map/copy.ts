/** What the maps show, as one picture. */

import type { Map as MapLibre } from 'maplibre-gl';
import { comparing } from '../state/scenarios/runs';
import { view } from '../state/store';
import { secondMap } from './scenarios/pair';

/** Copies what a map shows, with the one beside or over it; the canvas takes its size in pixels. */
export function copyPanes(first: MapLibre, canvas: HTMLCanvasElement): void {
  const second = secondMap.peek();
  const panes = [first, ...(second ? [second] : [])].map((map) => {
    // What WebGL has drawn is gone after the frame, so it is drawn once more.
    map.redraw();
    const picture = map.getCanvas();
    const scale = map.getPixelRatio();
    const hidden = Math.round(hiddenOf(map, first) * scale);
    const { offsetLeft, offsetTop } = map.getContainer();
    return { picture, hidden, left: Math.round(offsetLeft * scale) + hidden, top: Math.round(offsetTop * scale), width: picture.width - hidden };
  });
  const from = Math.min(...panes.map(({ left }) => left));
  canvas.width = Math.max(...panes.map(({ left, width }) => left + width)) - from;
  canvas.height = Math.max(...panes.map(({ picture, top }) => top + picture.height));
  const context = canvas.getContext('2d');
  if (!context) return;
  panes.forEach(({ picture, hidden, left, top, width }, index) => {
    context.drawImage(picture, hidden, 0, width, picture.height, left - from, top, width, picture.height);
    if (index > 0) context.strokeRect(left - from, top, width, picture.height);
  });
}

/** Pixels of the page at a map's left side that are not copied: under the panel in a pane, under the first map right of the line. */
function hiddenOf(map: MapLibre, first: MapLibre): number {
  if (comparing.peek() === 'side') return map.getPadding().left ?? 0;
  return comparing.peek() === 'swipe' && map !== first ? view.peek().scenario.line * map.getContainer().clientWidth : 0;
}
