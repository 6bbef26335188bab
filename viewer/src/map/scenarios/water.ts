/** Values of a result on a map: painted for the moment and the part in view, of one run or as two of them differ. */

import { effect, type ReadonlySignal } from '@preact/signals';
import type { ImageSource, Map as MapLibre } from 'maplibre-gl';
import type { Box } from '../../api/documents';
import { isAbort } from '../../api/client';
import { between } from '../../state/scenarios/frames';
import { awaitValues, instant, playing } from '../../state/scenarios/play';
import { differenceRamp, isAmount, ONLY_FIRST, ONLY_SECOND, packed, palette, type Palette } from '../../state/scenarios/ramp';
import type { Drawn, Painted } from '../../state/scenarios/results';
import { failure } from '../../state/scenarios/runs';
import { field } from '../../state/store';
import { boxOf, common, gridOf, sameGrid, TILE, type Grid } from './grid';
import { Mosaics } from './mosaic';
import { paint, paintDifference, type State } from './paint';
import { corners, WATER } from './results';

const styleName = field('style');
/** States that are read ahead of the clock. */
const AHEAD = 4;

/** Draws what is wanted of it until what it returns is called. */
export function drawWater(map: MapLibre, wanted: ReadonlySignal<Painted | null>): () => void {
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
    const { times, ramp } = tiles.twin;
    const { from, to, part } = between(moments, instant.peek() ?? 0);
    const read = (index: number): void => void mosaics.read(layer.id, tiles, times[index] ?? null, at).then(schedule, failed);
    for (let index = from; index <= Math.min(times.length - 1, to + (playing.peek() ? AHEAD : 0)); index += 1) if (!mosaics.have(layer.id, times[index] ?? null, at)) read(index);
    if (times.length === 0) read(0);
    const [now, next] = [mosaics.have(layer.id, times[from] ?? null, at), mosaics.have(layer.id, times[to] ?? null, at)];
    return now && { from: now, to: next ?? now, part: next ? part : 0, amount: isAmount(ramp) };
  };

  const draw = (): void => {
    frame = 0;
    const source = map.getSource<ImageSource>(WATER);
    const asked = wanted.peek();
    if (!asked || !source) return;
    const { values, less } = asked;
    grid = gridFor(map, asked);
    if (!grid) return;
    const own = stateOf(values, grid);
    const others = less && stateOf(less, grid);
    awaitValues(map, own === null || (less !== null && others === null));
    if (!own || (less && !others)) return;
    const [width, height] = [(grid.east - grid.west) * TILE, (grid.south - grid.north) * TILE];
    if (image?.width !== width || image.height !== height) image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    if (others) paintDifference(pixels, width, differencePalette(values), ONLY, own, others);
    else paint(pixels, paletteOf(values), own);
    source.updateImage({ image, coordinates: corners(boxOf(grid)) });
  };

  const moved = (): void => {
    const asked = wanted.peek();
    if (asked && !sameGrid(grid, gridFor(map, asked))) schedule();
  };
  // A style built anew has the source without its picture.
  const styled = (): void => void (map.getSource<ImageSource>(WATER)?.image ?? schedule());
  const stop = effect(() => {
    [wanted.value, instant.value, styleName.value];
    schedule();
  });
  map.on('moveend', moved);
  map.on('styledata', styled);
  return () => {
    stopped = true;
    stop();
    cancelAnimationFrame(frame);
    mosaics.stop();
    awaitValues(map, false);
    map.off('moveend', moved).off('styledata', styled);
  };
}

const ONLY = [packed(ONLY_FIRST), packed(ONLY_SECOND)] as const;

/** The tiles in view of what both runs have values of. */
function gridFor(map: MapLibre, { values, less }: Painted): Grid | null {
  const bounds = less ? common(values.tiles.bounds, less.tiles.bounds) : values.tiles.bounds;
  return bounds && gridOf(boundsOf(map), bounds, map.getZoom(), values.tiles.maxzoom);
}

function differencePalette({ tiles: { twin } }: Drawn): Palette {
  return palette(differenceRamp(twin.unit), false);
}

const palettes = new WeakMap<object, Palette>();

function paletteOf({ tiles: { twin } }: Drawn): Palette {
  const ramp = styleName.peek() === 'night' ? twin.ramp_night : twin.ramp;
  const made = palettes.get(ramp) ?? palette(ramp, twin.classes);
  palettes.set(ramp, made);
  return made;
}

function boundsOf(map: MapLibre): Box {
  const box = map.getBounds();
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
}

function failed(error: unknown): void {
  if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
}
