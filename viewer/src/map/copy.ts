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
    const { offsetLeft, offsetTop } = map.getContainer();
    const scale = map.getPixelRatio();
    return { picture: map.getCanvas(), left: offsetLeft * scale, top: offsetTop * scale };
  });
  canvas.width = Math.max(...panes.map(({ picture, left }) => left + picture.width));
  canvas.height = Math.max(...panes.map(({ picture, top }) => top + picture.height));
  const context = canvas.getContext('2d');
  if (!context) return;
  panes.forEach(({ picture, left, top }, index) => {
    const hidden = index > 0 && comparing.peek() === 'swipe' ? Math.round(view.peek().scenario.line * picture.width) : 0;
    const width = picture.width - hidden;
    context.drawImage(picture, hidden, 0, width, picture.height, left + hidden, top, width, picture.height);
    if (index > 0) context.strokeRect(left + hidden, top, width, picture.height);
  });
}
