/** The map itself: MapLibre driven by the view, reporting back what a person does on it. Loaded on its own. */

import { computed, effect, type ReadonlySignal } from '@preact/signals';
import { Map as MapLibre, setWorkerUrl } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Box } from '../api/documents';
import { followAreaNames } from '../state/area_names';
import { roundCamera } from '../state/hash';
import { awaitServer, home } from '../state/load';
import { instant } from '../state/scenarios/play';
import { askingFor, painted, shown } from '../state/scenarios/results';
import { comparing } from '../state/scenarios/runs';
import { isSheet, MOST_SHEET } from '../state/scenarios/together';
import { driving, tracks } from '../state/scenarios/vehicles';
import * as session from '../state/session';
import type { CityMap } from '../state/session';
import { field, update, view } from '../state/store';
import type { Camera } from '../state/view';
import { t } from '../i18n/text';
import { listen, markCentre, readCentre } from './asking';
import { copyPanes } from './copy';
import { firstStyle, followStyle } from './follow_style';
import { drawingHands, type Drawn } from './hands';
import type { Renderer } from './renderer';
import { follows } from './scenarios/lock';
import { isDrawing } from './scenarios/pair';
import { onTerrain, wanted, wantedBeside } from './wanted';

const NO_PADDING = { top: 0, right: 0, bottom: 0, left: 0 };
const TILT = 55;
const STEEPEST = 80;

setWorkerUrl(workerUrl);

const is3d = field('is3d');
const language = field('language');

/** Creates the map in its container; returns its handle and what takes it down. */
export function createCityMap(container: HTMLElement, renderer: Renderer): { map: CityMap; remove: () => void } {
  const camera = view.peek().camera;
  onTerrain.value = renderer === 'hardware';
  const map = new MapLibre({
    container,
    style: firstStyle(wanted),
    ...(camera ? { center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch } : {}),
    maxPitch: STEEPEST,
    attributionControl: false,
    transformRequest: askingFor,
    // Without a graphics card smooth edges halve the frames and fading labels double them.
    canvasContextAttributes: { antialias: renderer === 'hardware' },
    fadeDuration: renderer === 'hardware' ? 150 : 0,
  });
  const hands = drawingHands(map);
  const stops = [hands.stop, listen(map), followAreaNames(), followStyle(map, wanted), followResult(map), followVehicles(map), followCamera(map), followDimension(map), followPanel(map), followBeside(map, renderer), labelCanvas(map)];
  return {
    map: { ...handle(map), ...hands.handle },
    remove: () => {
      stops.forEach((stop) => stop());
      map.remove();
    },
  };
}

// What colours values is fetched with the first result.
function followResult(map: MapLibre): () => void {
  const isOpen = computed(() => shown.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/water'), ({ drawWater }) => drawWater(map, painted));
}

// What draws single vehicles is fetched with the first of them.
function followVehicles(map: MapLibre): () => void {
  const isOpen = computed(() => driving.value && tracks.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/vehicles'), ({ drawVehicles }) => drawVehicles(map, tracks, instant));
}

// A second map is made only where two runs are looked at together.
function followBeside(map: MapLibre, renderer: Renderer): () => void {
  const isOpen = computed(() => wantedBeside.value !== null);
  return drawWhile(isOpen, () => import('./scenarios/second'), ({ drawSecond }) => drawSecond(map, renderer === 'hardware'));
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
  map.on('moveend', (event) => {
    if (follows(event)) return;
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
    const area = map.getContainer().parentElement;
    const size = { width: area?.clientWidth ?? 0, height: area?.clientHeight ?? 0 };
    const sheet = isSheet(size, { width, height });
    // Panes one above the other end where the sheet begins.
    const stacked = sheet && comparing.value === 'side' && !isDrawing.value;
    if (sheet && !stacked && height > size.height * MOST_SHEET) return;
    map.setPadding({ ...NO_PADDING, ...(stacked ? {} : sheet ? { bottom: height } : { left: width }) });
    markCentre(map);
  });
}

function labelCanvas(map: MapLibre): () => void {
  return effect(() => {
    const title = session.city.value?.document.title;
    const name = title ? title[language.value] : t('app.name');
    const label = t('map.label', { title: name });
    map.getCanvas().setAttribute('aria-label', comparing.value === 'side' ? `${label} · ${t('compare.map', { run: 'A' })}` : label);
  });
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
    copyTo: (canvas) => copyPanes(map, canvas),
  };
}
