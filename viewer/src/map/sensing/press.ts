/** A click on a sensor or an event. */

import type { Map as MapLibre, Point } from 'maplibre-gl';
import { openEvent, openSensor } from '../../state/sensing/cards';
import { PRESSED } from './sensors';

const REACH = 4;

/** Opens what lies there; whether anything did. compare: beside the sensors whose card is open. */
export function pressSensing(map: MapLibre, { x, y }: Point, compare: boolean): boolean {
  const layers = PRESSED.filter((id) => map.getLayer(id));
  if (layers.length === 0) return false;
  const found = map.queryRenderedFeatures([[x - REACH, y - REACH], [x + REACH, y + REACH]], { layers });
  const top = layers.flatMap((id) => found.filter((feature) => feature.layer.id === id))[0];
  if (!top) return false;
  const { stream, event } = top.properties as { stream?: number; event?: number };
  if (stream !== undefined) openSensor(stream, compare);
  else if (event !== undefined) openEvent(event);
  return true;
}
