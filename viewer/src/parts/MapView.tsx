/** The map's place in the page. MapLibre, the largest part of the viewer, is fetched once there is something to draw. */

import { computed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { findRenderer } from '../map/renderer';
import { t } from '../i18n/text';
import { city, map, mapBusy, style, webglMissing } from '../state/session';
import { view } from '../state/store';

/** Characters of both faces of the map's font: a label drawn before its face has come keeps the substitute for ever. */
const SAMPLE = 'Aa城市';
const FONT_PATIENCE = 5000;

const drawable = computed(() => style.value !== null && city.value !== null && view.value.camera !== null);

export function MapView() {
  const container = useRef<HTMLDivElement>(null);
  const ready = drawable.value;
  useEffect(() => {
    const element = container.current;
    if (!ready || !element) return;
    const renderer = findRenderer();
    if (renderer === 'none') {
      webglMissing.value = true;
      mapBusy.value = false;
      return;
    }
    let removed = false;
    let remove = (): void => {
      removed = true;
    };
    void Promise.all([import('../map/city_map'), font()]).then(([{ createCityMap }]) => {
      if (removed) return;
      const created = createCityMap(element, renderer);
      map.value = created.map;
      remove = created.remove;
    });
    return () => {
      map.value = null;
      remove();
    };
  }, [ready]);
  return (
    <main class="map-area" id="map">
      <div ref={container} class="map" />
      <div class="crosshair" aria-hidden="true" />
      {mapBusy.value && ready && <div class="busy" role="progressbar" aria-label={t('map.loading')} />}
    </main>
  );
}

function font(): Promise<unknown> {
  const patience = new Promise((resolve) => setTimeout(resolve, FONT_PATIENCE));
  return Promise.race([document.fonts.load('16px "Noto Sans SC"', SAMPLE), patience]);
}
