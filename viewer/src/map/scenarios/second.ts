/** The map of the run beside the open one: over the first map right of a line, or in a pane of its own. */

import { computed, effect } from '@preact/signals';
import { Map as MapLibre } from 'maplibre-gl';
import { t } from '../../i18n/text';
import { otherInstant } from '../../state/scenarios/moments';
import { askingFor, paintedBeside } from '../../state/scenarios/results';
import { comparing } from '../../state/scenarios/runs';
import { cssInset, panesOf } from '../../state/scenarios/together';
import { driving, otherTracks } from '../../state/scenarios/vehicles';
import { panelBox } from '../../state/session';
import { view } from '../../state/store';
import { listen, markCentre } from '../asking';
import { firstStyle, followStyle } from '../follow_style';
import { wantedBeside } from '../wanted';
import { lockCameras } from './lock';
import { isDrawing, secondMap } from './pair';
import { drawVehicles } from './vehicles';
import { drawWater } from './water';

/** Draws until what it returns is called; then the map is gone with its graphics context. */
export function drawSecond(first: MapLibre, antialias: boolean): () => void {
  const holder = document.createElement('div');
  holder.className = 'map second-map';
  first.getContainer().after(holder);
  const second = new MapLibre({
    container: holder,
    style: firstStyle(wantedBeside),
    attributionControl: false,
    maxPitch: first.getMaxPitch(),
    transformRequest: askingFor,
    canvasContextAttributes: { antialias },
    fadeDuration: 0,
  });
  secondMap.value = second;
  const stops = [placePanes(first, second), lockCameras(first, second), listen(second), followStyle(second, wantedBeside), drawWater(second, paintedBeside), followVehicles(second), labelCanvas(second)];
  return () => {
    stops.forEach((stop) => stop());
    secondMap.value = null;
    second.remove();
    holder.remove();
  };
}

/** Where the two maps lie in their area; while a person draws, the first one has all of it. */
function placePanes(first: MapLibre, second: MapLibre): () => void {
  const [own, other] = [first.getContainer(), second.getContainer()];
  const line = computed(() => view.value.scenario.line);
  const stop = effect(() => {
    const beside = comparing.value === 'side' && !isDrawing.value;
    const [left, right] = beside ? panesOf(sizeOf(own.parentElement), panelBox.value) : [null, null];
    own.style.inset = left ? cssInset(left) : '';
    other.style.inset = right ? cssInset(right) : '';
    other.classList.toggle('is-over', !beside);
    other.hidden = isDrawing.value;
    // What lies over the first map is moved and asked through it.
    other.inert = !beside;
    first.resize();
    second.resize();
    second.setPadding(beside ? { top: 0, right: 0, bottom: 0, left: 0 } : first.getPadding());
    markCentre(first);
  });
  const cut = effect(() => void (other.style.clipPath = comparing.value === 'side' ? '' : `inset(0 0 0 ${line.value * 100}%)`));
  return () => {
    stop();
    cut();
    own.style.inset = '';
    first.resize();
    markCentre(first);
  };
}

function followVehicles(second: MapLibre): () => void {
  const isOpen = computed(() => driving.value && otherTracks.value !== null);
  return effect(() => (isOpen.value ? drawVehicles(second, otherTracks, otherInstant) : undefined));
}

function sizeOf(area: HTMLElement | null): { width: number; height: number } {
  return { width: area?.clientWidth ?? 0, height: area?.clientHeight ?? 0 };
}

function labelCanvas(second: MapLibre): () => void {
  return effect(() => second.getCanvas().setAttribute('aria-label', t('compare.map', { run: 'B' })));
}
