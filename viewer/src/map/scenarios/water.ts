/** Values of a result on the map: painted for the moment, the part in view, and the way two runs are looked at. */

import { effect } from '@preact/signals';
import type { ImageSource, Map as MapLibre } from 'maplibre-gl';
import type { Box } from '../../api/documents';
import { isAbort } from '../../api/client';
import { between } from '../../state/scenarios/frames';
import { instant, playing, waiting } from '../../state/scenarios/play';
import { DIFFERENCE, isAmount, palette, type Palette } from '../../state/scenarios/ramp';
import { beside, shown, swipe, type Drawn } from '../../state/scenarios/results';
import { failure } from '../../state/scenarios/runs';
import { field } from '../../state/store';
import { boxOf, gridOf, pixelOf, sameGrid, TILE, type Grid } from './grid';
import { Mosaics } from './mosaic';
import { paint, paintDifference, type Divide, type State } from './paint';
import { corners, WATER } from './results';

const scenario = field('scenario');
const styleName = field('style');
/** States that are read ahead of the clock. */
const AHEAD = 4;
/** Where the line between two runs is measured on the screen, shares of its height: well under the horizon. */
const [NEAR, FAR] = [0.95, 0.6];

/** Draws until what it returns is called. */
export function drawWater(map: MapLibre): () => void {
  const mosaics = new Mosaics();
  let grid: Grid | null = null;
  let image: ImageData | null = null;
  let frame = 0;
  let stopped = false;

  const schedule = (): void => {
    if (frame === 0 && !stopped) frame = requestAnimationFrame(draw);
  };

  /** The state of a layer at the clock's moment; null while its values are on their way, which draw again. */
  const stateOf = ({ layer, tiles, moments }: Drawn, at: Grid): State | null => {
    const { times, ramp, classes } = tiles.twin;
    const { from, to, part } = between(moments, instant.peek() ?? 0);
    const read = (index: number): void => void mosaics.read(layer.id, tiles, times[index] ?? null, at).then(schedule, failed);
    for (let index = from; index <= Math.min(times.length - 1, to + (playing.peek() ? AHEAD : 0)); index += 1) if (!mosaics.have(layer.id, times[index] ?? null, at)) read(index);
    if (times.length === 0) read(0);
    const [now, next] = [mosaics.have(layer.id, times[from] ?? null, at), mosaics.have(layer.id, times[to] ?? null, at)];
    return now && { from: now, to: next ?? now, part: next ? part : 0, amount: isAmount(ramp, classes) };
  };

  const draw = (): void => {
    frame = 0;
    const source = map.getSource<ImageSource>(WATER);
    const [first, second] = [shown.peek(), beside.peek()];
    if (!first || !source) return;
    grid = gridOf(boundsOf(map), first.tiles.bounds, map.getZoom(), first.tiles.maxzoom);
    if (!grid) return;
    const own = stateOf(first, grid);
    const others = second && stateOf(second, grid);
    waiting.value = own === null || (second !== null && others === null);
    if (!own || (second && !others)) return;
    const [width, height] = [(grid.east - grid.west) * TILE, (grid.south - grid.north) * TILE];
    if (image?.width !== width || image.height !== height) image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    if (others && scenario.peek().comparison === 'difference') paintDifference(pixels, differencePalette, own, others);
    else paint(pixels, width, paletteOf(first), own, others, others ? divideOf(map, grid) : null);
    source.updateImage({ image, coordinates: corners(boxOf(grid)) });
  };

  const moved = (): void => {
    const first = shown.peek();
    if (first && !sameGrid(grid, gridOf(boundsOf(map), first.tiles.bounds, map.getZoom(), first.tiles.maxzoom))) schedule();
  };
  const swiped = (): void => void (beside.peek() && schedule());
  // A style built anew has the source without its picture.
  const styled = (): void => void (map.getSource<ImageSource>(WATER)?.image ?? schedule());
  const stop = effect(() => {
    [shown.value, beside.value, instant.value, swipe.value, scenario.value, styleName.value];
    schedule();
  });
  map.on('moveend', moved);
  map.on('move', swiped);
  map.on('styledata', styled);
  return () => {
    stopped = true;
    stop();
    cancelAnimationFrame(frame);
    mosaics.stop();
    waiting.value = false;
    map.off('moveend', moved).off('move', swiped).off('styledata', styled);
  };
}

const differencePalette = palette(DIFFERENCE, false);
const palettes = new WeakMap<object, Palette>();

function paletteOf({ tiles: { twin } }: Drawn): Palette {
  const ramp = styleName.peek() === 'night' ? twin.ramp_night : twin.ramp;
  const made = palettes.get(ramp) ?? palette(ramp, twin.classes);
  palettes.set(ramp, made);
  return made;
}

/** The line between two runs, from the near end of the screen to the far one, in the picture's pixels. */
function divideOf(map: MapLibre, grid: Grid): Divide {
  const { clientWidth, clientHeight } = map.getContainer();
  const [near, far] = [NEAR, FAR].map((share) => map.unproject([swipe.peek() * clientWidth, share * clientHeight]));
  const [x1, y1] = near ? pixelOf(grid, near.lng, near.lat) : [0, 0];
  const [x2, y2] = far ? pixelOf(grid, far.lng, far.lat) : [0, 0];
  return [x1, y1, x2, y2];
}

function boundsOf(map: MapLibre): Box {
  const box = map.getBounds();
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
}

function failed(error: unknown): void {
  if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
}
