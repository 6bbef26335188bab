/** The map itself: MapLibre driven by the view, reporting back what a person does on it. Loaded on its own. */

import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { Map as MapLibre, setWorkerUrl, type LngLat, type MapMouseEvent, type Point, type StyleSpecification } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Box } from '../api/documents';
import { roundCamera } from '../state/hash';
import { keyOf } from '../api/foreign';
import { serverRoot } from '../api/client';
import { awaitServer, home } from '../state/load';
import { clearSelection, selectHits } from '../state/selection';
import { mapEvents, shownSensors } from '../state/sensing/past';
import { typhoonMap } from '../state/sensing/typhoons';
import { areaNames, followAreaNames } from '../state/area_names';
import { askingFor, look, otherLook, shown } from '../state/scenarios/results';
import { driving, tracks } from '../state/scenarios/vehicles';
import { placeWay, waysLook } from '../state/ways/ways';
import { probeAt } from '../state/scenarios/probe';
import * as session from '../state/session';
import type { CityMap } from '../state/session';
import { field, update, view } from '../state/store';
import type { Camera } from '../state/view';
import { t } from '../i18n/text';
import { timeText } from '../parts/sensing/words';
import { compose } from './compose';
import { onMapError } from './failures';
import { drawingHands, keepOwn, type Drawn } from './hands';
import { identify, resultsAt } from './identify';
import { pressSensing } from './sensing/press';
import { symbolNames, withoutSensing } from './sensing/sensors';
import { addSymbols } from './sensing/symbols';
import { labelled } from './sensing/typhoon';
import type { Renderer } from './renderer';
import type { ResultLook } from './scenarios/results';

const ACCENT = { day: '#d9480f', night: '#ffb224' } as const;
const NOTHING = { type: 'FeatureCollection' as const, features: [] };
const TILT = 55;
const STEEPEST = 80;

setWorkerUrl(workerUrl);

const drawn = {
  layers: field('layers'),
  is3d: field('is3d'),
  language: field('language'),
  date: field('date'),
  selected: field('selected'),
  styleName: field('style'),
  filters: field('filters'),
  extras: field('extras'),
  sensing: field('sensing'),
};

/**
 * Whether the terrain is drawn. Without a graphics card every tile that arrives costs a new picture of the ground
 * under it, seconds each: there the tiles come first and the terrain once, when all have come.
 */
const onTerrain = signal(false);

/** The keys of foreign hosts; a new function once a key has been given, so that its maps are asked for anew. */
const keysKept = computed(() => {
  session.keysGiven.value;
  return (host: string) => keyOf(host);
});

const sensing = computed(() => {
  const { streams, event } = drawn.sensing.value;
  const typhoon = typhoonMap.value && labelled(typhoonMap.value, (moment) => timeText(Date.parse(moment)));
  return { sensors: shownSensors.value, events: mapEvents.value, streams, event, style: drawn.styleName.value, typhoon };
});

/** The style to draw now. */
const wanted = computed(() => styleWith(look.value));
/** The same with the run beside the open one; null where its objects are not compared. */
const wantedBeside = computed(() => (otherLook.value.objects.length > 0 ? styleWith(otherLook.value) : null));

/** The style with a result; null until city and style have come and belong together. */
function styleWith(results: ResultLook): StyleSpecification | null {
  const loaded = session.style.value;
  const city = session.city.value;
  if (!loaded || !city || loaded.city !== city.entry.name) return null;
  return compose({
    style: loaded.style,
    layers: drawn.layers.value,
    order: loaded.order,
    is3d: drawn.is3d.value,
    onTerrain: onTerrain.value,
    language: drawn.language.value,
    date: drawn.date.value,
    selected: drawn.selected.value,
    shape: session.editing.value ? NOTHING : session.shape.value,
    accent: ACCENT[drawn.styleName.value],
    filters: drawn.filters.value,
    extras: drawn.extras.value,
    reaching: { server: serverRoot(), keyOf: keysKept.value, accent: ACCENT[drawn.styleName.value] },
    names: areaNames.value,
    results,
    ways: waysLook.value,
    sensing: sensing.value,
  });
}

/** Creates the map in its container; returns its handle and what takes it down. */
export function createCityMap(container: HTMLElement, renderer: Renderer): { map: CityMap; remove: () => void } {
  const camera = view.peek().camera;
  onTerrain.value = renderer === 'hardware';
  const map = new MapLibre({
    container,
    // The sensors follow once the map can hold their pictures.
    style: withoutSensing(wanted.peek() ?? { version: 8, sources: {}, layers: [] }),
    ...(camera ? { center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch } : {}),
    maxPitch: STEEPEST,
    attributionControl: false,
    transformRequest: askingFor,
    // Without a graphics card smooth edges halve the frames and fading labels double them.
    canvasContextAttributes: { antialias: renderer === 'hardware' },
    fadeDuration: renderer === 'hardware' ? 150 : 0,
  });
  const hands = drawingHands(map);
  const stops = [hands.stop, followAreaNames(), followStyle(map), followResult(map), followVehicles(map), followBeside(map), followCamera(map), followDimension(map), followPanel(map), labelCanvas(map)];
  listen(map);
  return {
    map: { ...handle(map), ...hands.handle },
    remove: () => {
      stops.forEach((stop) => stop());
      map.remove();
    },
  };
}

// A style given before the one before it has loaded would be built anew instead of compared, so it waits.
function followStyle(map: MapLibre): () => void {
  let pending: StyleSpecification | null = null;
  let loaded = false;
  const apply = (): void => {
    if (!pending || !loaded) return;
    addSymbols(map, symbolNames(sensing.peek()));
    map.setStyle(pending, { diff: true, validate: false, transformStyle: keepOwn });
    pending = null;
  };
  map.once('style.load', () => {
    loaded = true;
    apply();
  });
  return effect(() => {
    if (!wanted.value) return;
    const scheduled = pending !== null;
    pending = wanted.value;
    if (!scheduled && loaded) requestAnimationFrame(apply);
  });
}

// What colours values is fetched with the first result.
function followResult(map: MapLibre): () => void {
  const isOpen = computed(() => shown.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/water'), ({ drawWater }) => drawWater(map));
}

// What draws single vehicles is fetched with the first of them.
function followVehicles(map: MapLibre): () => void {
  const isOpen = computed(() => driving.value && tracks.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/vehicles'), ({ drawVehicles }) => drawVehicles(map));
}

// A second map is made only where two runs are compared.
function followBeside(map: MapLibre): () => void {
  const isOpen = computed(() => wantedBeside.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/second'), ({ drawSecond }) => drawSecond(map, wantedBeside));
}

/** Draws while there is something to draw, with code that is fetched then; a server that is gone is told and awaited. */
function drawWhile<Code>(isOpen: ReadonlySignal<boolean>, fetched: () => Promise<Code>, draw: (code: Code) => () => void): () => void {
  return effect(() => {
    if (!isOpen.value) return;
    let stop: (() => void) | null = null;
    let wanted = true;
    fetched().then(
      (code) => {
        if (wanted) stop = draw(code);
      },
      awaitServer,
    );
    return () => {
      wanted = false;
      stop?.();
    };
  });
}

function followCamera(map: MapLibre): () => void {
  let own: Camera | null = view.peek().camera;
  map.on('moveend', () => {
    // Another city has been chosen and has not said yet where it lies.
    if (view.peek().camera === null) return;
    const { lng, lat } = map.getCenter();
    own = roundCamera({ lng, lat, zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
    update({ camera: own });
  });
  const wantedCamera = field('camera');
  return effect(() => {
    const camera = wantedCamera.value;
    if (!camera || camera === own) return;
    own = camera;
    map.jumpTo({ center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch });
  });
}

function followDimension(map: MapLibre): () => void {
  const { is3d } = drawn;
  let first = true;
  return effect(() => {
    const solid = is3d.value;
    if (solid) map.setMaxPitch(STEEPEST);
    const pitch = solid ? session.city.peek()?.document.view.pitch || TILT : 0;
    if (!first && solid !== map.getPitch() > 0) map.easeTo({ pitch, duration: 700 });
    if (!solid) {
      if (first) map.setMaxPitch(0);
      else map.once('moveend', () => !is3d.peek() && map.setMaxPitch(0));
    }
    first = false;
  });
}

// The middle of the map is the middle of what the panel leaves free.
function followPanel(map: MapLibre): () => void {
  return effect(() => {
    const { width, height } = session.panelBox.value;
    const { clientWidth, clientHeight } = map.getContainer();
    const sheet = clientWidth - width < 120;
    if (sheet && height > clientHeight * 0.7) return;
    map.setPadding(sheet ? { bottom: height } : { left: width });
    const { x, y } = map.project(map.getCenter());
    const area = map.getContainer().parentElement;
    area?.style.setProperty('--centre-x', `${x}px`);
    area?.style.setProperty('--centre-y', `${y}px`);
  });
}

function labelCanvas(map: MapLibre): () => void {
  return effect(() => {
    const title = session.city.value?.document.title;
    const name = title ? title[drawn.language.value] : t('app.name');
    map.getCanvas().setAttribute('aria-label', t('map.label', { title: name }));
  });
}

function listen(map: MapLibre): void {
  map.on('click', (event: MapMouseEvent) => {
    // While a person draws, a click is a corner.
    if (session.drawing.peek() || session.editing.peek()) return;
    const { lng, lat } = event.lngLat.wrap();
    if (placeWay(lng, lat)) return;
    if (pressSensing(map, event.point, event.originalEvent.shiftKey)) return;
    ask(map, event.point, event.lngLat.wrap());
  });
  let frame = 0;
  map.on('mousemove', (event: MapMouseEvent) => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const { lng, lat } = event.lngLat.wrap();
      session.pointer.value = { place: { lng, lat }, elevation: map.queryTerrainElevation(event.lngLat) };
    });
  });
  map.on('mouseout', () => {
    cancelAnimationFrame(frame);
    session.pointer.value = null;
  });
  map.on('dataloading', (event) => {
    // What is told live is drawn as it comes; nothing is waited for.
    if (!('sourceId' in event) || !/^(sensing|result|ways)-/.test(String(event.sourceId))) session.mapBusy.value = true;
  });
  map.on('idle', () => {
    if (drawn.is3d.peek() && !onTerrain.peek()) onTerrain.value = true;
    else session.mapBusy.value = false;
  });
  map.on('error', (event) => {
    onMapError(event);
    // It says that it rests after a frame alone, and what fails asks for none.
    map.triggerRepaint();
  });
  map.getCanvas().addEventListener('keydown', (event) => {
    if (session.drawing.peek() || session.editing.peek()) return;
    if (event.key === 'Enter') readCentre(map);
    if (event.key === 'Escape') clearSelection();
  });
}

function readCentre(map: MapLibre): void {
  const { lng, lat } = map.getCenter();
  if (placeWay(lng, lat)) return;
  const centre = map.project(map.getCenter());
  if (pressSensing(map, centre, false)) return;
  if (!ask(map, centre, map.getCenter())) session.announcement.value = t('map.nothing');
}

/** Opens what is at a place: an object that a run gave, the run's values, or what of the city lies there; whether there is anything. */
function ask(map: MapLibre, point: Point, { lng, lat }: LngLat): boolean {
  const found = identify(map, point);
  if (resultsAt(found).length === 0 && probeAt([lng, lat])) return true;
  selectHits(found);
  return found.length > 0;
}

function handle(map: MapLibre): Omit<CityMap, keyof Drawn> {
  return {
    zoomBy: (steps) => void map.easeTo({ zoom: map.getZoom() + steps, duration: 250 }),
    northUp: () => void map.easeTo({ bearing: 0, duration: 400 }),
    home() {
      const city = session.city.peek();
      if (!city) return;
      const { lng, lat, ...looking } = home(city.document);
      map.flyTo({ center: [lng, lat], ...looking });
    },
    showBox([west, south, east, north]) {
      const fitted = map.cameraForBounds([west, south, east, north], { padding: 48, maxZoom: 17.5, bearing: map.getBearing() });
      if (fitted) map.flyTo({ ...fitted, pitch: map.getPitch() });
    },
    readCentre: () => readCentre(map),
    bounds(): Box {
      const box = map.getBounds();
      return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
    },
    reloadTiles() {
      session.tileTrouble.value = null;
      for (const [id, source] of Object.entries(map.getStyle().sources)) if (source.type !== 'geojson') map.refreshTiles(id);
      map.triggerRepaint();
    },
    focus: () => map.getCanvas().focus(),
    copyTo(canvas) {
      const drawn = map.getCanvas();
      // What WebGL has drawn is gone after the frame, so it is drawn once more.
      map.redraw();
      [canvas.width, canvas.height] = [drawn.width, drawn.height];
      canvas.getContext('2d')?.drawImage(drawn, 0, 0);
    },
  };
}
