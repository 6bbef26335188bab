/** Single vehicles on the map at the clock's moment: as large as the scale allows, coloured by their speed. */

import { effect, type ReadonlySignal } from '@preact/signals';
import type { CircleLayerSpecification, GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import { vehiclesAt, type Tracks } from '../../state/scenarios/tracks';
import { PACES } from './paces';

/** Kept by the map when its style changes. */
const VEHICLES = 'vehicles-now';
const LAYER: CircleLayerSpecification = {
  id: VEHICLES,
  type: 'circle',
  source: VEHICLES,
  paint: {
    'circle-radius': ['interpolate', ['exponential', 1.6], ['zoom'], 11, size(1.4), 14, size(3), 16, size(4), 19, size(13)],
    'circle-color': ['step', ['get', 'kmh'], PACES[0].colour, PACES[0].below, PACES[1].colour, PACES[1].below, PACES[2].colour],
    'circle-stroke-color': '#ffffff',
    'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 12, 0.4, 16, 1.4],
    'circle-pitch-alignment': 'map',
  },
};

function size(radius: number): ['case', ['get', string], number, number] {
  return ['case', ['get', 'lorry'], radius * 1.5, radius];
}

/** Draws until what it returns is called. instant: milliseconds since 1970, in the times of the tracks. */
export function drawVehicles(map: MapLibre, tracks: ReadonlySignal<Tracks | null>, instant: ReadonlySignal<number | null>): () => void {
  let frame = 0;
  const draw = (): void => {
    frame = 0;
    const [known, at] = [tracks.peek(), instant.peek()];
    if (!known || at === null) return;
    const data = vehiclesAt(known, at);
    const source = map.getSource<GeoJSONSource>(VEHICLES);
    if (source) source.setData(data);
    else if (map.isStyleLoaded()) {
      map.addSource(VEHICLES, { type: 'geojson', data });
      map.addLayer(LAYER);
    } else map.once('idle', schedule);
  };
  const schedule = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const stop = effect(() => {
    instant.value;
    tracks.value;
    schedule();
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
    map.off('idle', schedule);
    if (map.getLayer(VEHICLES)) map.removeLayer(VEHICLES);
    if (map.getSource(VEHICLES)) map.removeSource(VEHICLES);
  };
}
