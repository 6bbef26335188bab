/** Two maps that look from the same place, whichever of them is moved. */

import type { Map as MapLibre } from 'maplibre-gl';

/** Told with moves that follow the other map. */
interface Move {
  readonly follows?: boolean;
}

/** Whether a move is told by a map that only follows; where it comes to rest, it is told as one of its own. */
export function follows(event: object): boolean {
  return (event as Move).follows === true;
}

/** Holds the second map where the first one is, and the other way round, until what it returns is called. */
export function lockCameras(first: MapLibre, second: MapLibre): () => void {
  const looking = (map: MapLibre) => ({ center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
  const lead = (event: object): void => {
    second.setMaxPitch(first.getMaxPitch());
    if (!follows(event)) second.jumpTo(looking(first), { follows: true });
  };
  const led = (event: object): void => {
    if (!follows(event)) first.jumpTo(looking(second), { follows: true });
  };
  const rested = (event: object): void => {
    if (!follows(event)) first.jumpTo(looking(second));
  };
  lead({});
  const told = [first.on('move', lead), second.on('move', led), second.on('moveend', rested)];
  return () => told.forEach((each) => each.unsubscribe());
}
