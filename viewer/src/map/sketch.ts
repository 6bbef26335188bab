/** Setting the corners of a new shape on the map: by mouse and finger where they point, by keyboard at the crosshair. */

import type { Position } from 'geojson';
import type { GeoJSONSource, LayerSpecification, LngLat, Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import type { Simple } from '../geo/rings';
import { shapeOf, sketchOf, type Corners, type ShapeKind } from '../geo/sketch';

const SOURCE = 'td-sketch';
/** Pixels within which a corner is set again: that ends the shape. */
const SAME = 14;

/** Is told the corners whenever they have changed, and whether that can be taken back. */
export type Follow = (corners: Corners, canTakeBack: boolean) => void;

/** A drawing that is under way. */
export interface Sketch {
  /** Undoes the last step. */
  takeBack(): void;
  /** Ends the shape, if it has corners enough. */
  finish(): void;
  /** null when it was given up. */
  readonly done: Promise<Simple | null>;
}

/** giveUp: what Escape asks for. */
export function sketchShape(map: MapLibre, kind: ShapeKind, accent: string, signal: AbortSignal, follow: Follow, giveUp: () => void): Sketch {
  const canvas = map.getCanvas();
  const ended = new AbortController();
  let corners: Corners = [];
  let cursor: Position | null = null;
  let resolve: (shape: Simple | null) => void = () => undefined;

  const draw = (): void => void map.getSource<GeoJSONSource>(SOURCE)?.setData(sketchOf(kind, corners, cursor));
  const change = (next: Corners): void => {
    corners = next;
    draw();
    follow(corners, corners.length > 0);
  };
  const end = (shape: Simple | null): void => {
    ended.abort();
    heard.forEach((each) => each.unsubscribe());
    map.doubleClickZoom.enable();
    canvas.style.cursor = '';
    for (const { id } of layersOf(accent)) if (map.getLayer(id)) map.removeLayer(id);
    if (map.getSource(SOURCE)) map.removeSource(SOURCE);
    resolve(shape);
  };
  const finish = (): void => {
    const shape = shapeOf(kind, corners);
    if (shape) end(shape);
  };
  const isSame = (corner: Position | undefined, at: LngLat): boolean => corner !== undefined && map.project([corner[0] ?? 0, corner[1] ?? 0]).dist(map.project(at)) < SAME;
  const set = (at: LngLat): void => {
    if (isSame(corners.at(-1), at) || (kind === 'polygon' && isSame(corners[0], at))) return finish();
    change([...corners, placeOf(at)]);
    if (kind === 'point') finish();
  };
  const takeBack = (): void => change(corners.slice(0, -1));
  const click = ({ lngLat }: MapMouseEvent): void => set(lngLat);
  const point = ({ lngLat }: MapMouseEvent): void => {
    cursor = placeOf(lngLat);
    draw();
  };
  // The crosshair is seen where the keyboard has brought the map its focus.
  const byKeys = (): boolean => canvas.matches(':focus-visible');
  const pan = (): void => {
    if (!byKeys()) return;
    cursor = placeOf(map.getCenter());
    draw();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return giveUp();
    if (event.target !== canvas) return;
    if (event.key === ' ' || (event.key === 'Enter' && byKeys() && !event.ctrlKey)) set(map.getCenter());
    else if (event.key === 'Enter') finish();
    else if (event.key === 'Backspace') takeBack();
    else return;
    event.preventDefault();
  };

  map.addSource(SOURCE, { type: 'geojson', data: sketchOf(kind, [], null) });
  layersOf(accent).forEach((layer) => map.addLayer(layer));
  const heard = [map.on('click', click), map.on('mousemove', point), map.on('move', pan)];
  map.doubleClickZoom.disable();
  canvas.style.cursor = 'crosshair';
  canvas.focus();
  window.addEventListener('keydown', press, { signal: ended.signal });
  signal.addEventListener('abort', () => end(null), { signal: ended.signal });
  return { takeBack, finish, done: new Promise((given) => (resolve = given)) };
}

function placeOf(at: LngLat): Position {
  const { lng, lat } = at.wrap();
  // A centimetre.
  return [Number(lng.toFixed(7)), Number(lat.toFixed(7))];
}

function layersOf(accent: string): readonly LayerSpecification[] {
  return [
    { id: `${SOURCE}-area`, type: 'fill', source: SOURCE, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': accent, 'fill-opacity': 0.2 } },
    { id: `${SOURCE}-line`, type: 'line', source: SOURCE, filter: ['!=', ['geometry-type'], 'Point'], layout: { 'line-join': 'round', 'line-cap': 'round' }, paint: { 'line-color': accent, 'line-width': 3 } },
    { id: `${SOURCE}-corner`, type: 'circle', source: SOURCE, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': '#ffffff', 'circle-radius': 5, 'circle-stroke-color': accent, 'circle-stroke-width': 2 } },
  ];
}
