/** What a person asks of a map by pointer and keyboard: objects, values, ways; of the run of the pane that was meant. */

import type { LngLat, Map as MapLibre, MapMouseEvent, Point } from 'maplibre-gl';
import { probeAt } from '../state/scenarios/probe';
import { clearSelection, selectHits } from '../state/selection';
import * as session from '../state/session';
import { field } from '../state/store';
import { placeWay } from '../state/ways/ways';
import { t } from '../i18n/text';
import { onMapError } from './failures';
import { identify, resultsAt } from './identify';
import { isSecond, paneAt } from './scenarios/pair';
import { pressSensing } from './sensing/press';
import { onTerrain } from './wanted';

const is3d = field('is3d');
/** Maps whose tiles are on their way. */
const busy = new Set<MapLibre>();

/** Listens to a map; returns what ends its part in what is told. */
export function listen(map: MapLibre): () => void {
  map.on('click', (event: MapMouseEvent) => {
    // While a person draws, a click is a corner.
    if (session.drawing.peek() || session.editing.peek()) return;
    const { lng, lat } = event.lngLat.wrap();
    if (placeWay(lng, lat)) return;
    const pane = paneAt(map, event.point);
    if (pressSensing(pane, event.point, event.originalEvent.shiftKey)) return;
    ask(pane, event.point, event.lngLat.wrap());
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
    if (!('sourceId' in event) || !/^(sensing|result|ways)-/.test(String(event.sourceId))) tell(map, true);
  });
  map.on('idle', () => {
    if (is3d.peek() && !onTerrain.peek() && !isSecond(map)) onTerrain.value = true;
    else tell(map, false);
  });
  map.on('error', (event) => {
    onMapError(event);
    // It says that it rests after a frame alone, and what fails asks for none.
    map.triggerRepaint();
  });
  const canvas = map.getCanvas();
  canvas.addEventListener('keydown', (event) => {
    if (session.drawing.peek() || session.editing.peek()) return;
    if (event.key === 'Enter') readCentre(map);
    if (event.key === 'Escape') clearSelection();
  });
  canvas.addEventListener('focus', () => markCentre(map));
  return () => {
    cancelAnimationFrame(frame);
    tell(map, false);
  };
}

function tell(map: MapLibre, isBusy: boolean): void {
  if (isBusy) busy.add(map);
  else busy.delete(map);
  session.mapBusy.value = busy.size > 0;
}

/** Opens what lies at the middle of a map. */
export function readCentre(map: MapLibre): void {
  const { lng, lat } = map.getCenter();
  if (placeWay(lng, lat)) return;
  const centre = map.project(map.getCenter());
  const pane = paneAt(map, centre);
  if (pressSensing(pane, centre, false)) return;
  if (!ask(pane, centre, map.getCenter())) session.announcement.value = t('map.nothing');
}

/** Puts the cross for the keyboard where the middle of a map is. */
export function markCentre(map: MapLibre): void {
  const { x, y } = map.project(map.getCenter());
  const { offsetLeft, offsetTop, parentElement: area } = map.getContainer();
  area?.style.setProperty('--centre-x', `${offsetLeft + x}px`);
  area?.style.setProperty('--centre-y', `${offsetTop + y}px`);
}

/** Opens what is at a place: an object that a run gave, the run's values, or what of the city lies there; whether there is anything. */
function ask(map: MapLibre, point: Point, { lng, lat }: LngLat): boolean {
  const found = identify(map, point);
  if (resultsAt(found).length === 0 && probeAt([lng, lat], isSecond(map) ? 'B' : 'A')) return true;
  selectHits(found);
  return found.length > 0;
}
