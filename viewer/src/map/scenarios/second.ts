/** A second map over the first one, right of the line between two runs: the same place with the other run's objects. */

import { effect, type ReadonlySignal } from '@preact/signals';
import { Map as MapLibre, type StyleSpecification } from 'maplibre-gl';
import { askingFor, swipe } from '../../state/scenarios/results';
import { withoutSensing } from '../sensing/sensors';

/** Draws until what it returns is called. The first map is what a person moves and asks. */
export function drawSecond(first: MapLibre, wanted: ReadonlySignal<StyleSpecification | null>): () => void {
  const holder = document.createElement('div');
  holder.className = 'second-map';
  holder.setAttribute('aria-hidden', 'true');
  first.getContainer().append(holder);
  const second = new MapLibre({
    container: holder,
    style: withoutSensing(wanted.peek() ?? { version: 8, sources: {}, layers: [] }),
    interactive: false,
    attributionControl: false,
    maxPitch: first.getMaxPitch(),
    transformRequest: askingFor,
    fadeDuration: 0,
  });
  second.getCanvas().tabIndex = -1;
  const follow = (): void => {
    second.setMaxPitch(first.getMaxPitch());
    second.jumpTo({ center: first.getCenter(), zoom: first.getZoom(), bearing: first.getBearing(), pitch: first.getPitch(), padding: first.getPadding() });
  };
  follow();
  first.on('move', follow);
  let loaded = false;
  const draw = (): void => {
    if (loaded && wanted.peek()) second.setStyle(withoutSensing(wanted.peek() as StyleSpecification), { diff: true, validate: false });
  };
  second.once('style.load', () => {
    loaded = true;
    draw();
  });
  const stops = [
    effect(() => {
      wanted.value;
      draw();
    }),
    effect(() => void (holder.style.clipPath = `inset(0 0 0 ${swipe.value * 100}%)`)),
  ];
  return () => {
    stops.forEach((stop) => stop());
    first.off('move', follow);
    second.remove();
    holder.remove();
  };
}
