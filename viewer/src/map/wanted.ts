/** The styles that the maps have to show now: of the open run, and of the run beside it. */

import { computed, signal } from '@preact/signals';
import type { StyleSpecification } from 'maplibre-gl';
import { keyOf } from '../api/foreign';
import { serverRoot } from '../api/client';
import { areaNames } from '../state/area_names';
import { look, otherLook } from '../state/scenarios/results';
import { comparing } from '../state/scenarios/runs';
import { mapEvents, shownSensors } from '../state/sensing/past';
import { typhoonMap } from '../state/sensing/typhoons';
import * as session from '../state/session';
import { field } from '../state/store';
import { waysLook } from '../state/ways/ways';
import { timeText } from '../parts/sensing/words';
import { compose } from './compose';
import type { ResultLook } from './scenarios/results';
import { labelled } from './sensing/typhoon';

const ACCENT = { day: '#d9480f', night: '#ffb224' } as const;
const NOTHING = { type: 'FeatureCollection' as const, features: [] };

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
export const onTerrain = signal(false);

/** The keys of foreign hosts; a new function once a key has been given, so that its maps are asked for anew. */
const keysKept = computed(() => {
  session.keysGiven.value;
  return (host: string) => keyOf(host);
});

export const sensing = computed(() => {
  const { streams, event } = drawn.sensing.value;
  const typhoon = typhoonMap.value && labelled(typhoonMap.value, (moment) => timeText(Date.parse(moment)));
  return { sensors: shownSensors.value, events: mapEvents.value, streams, event, style: drawn.styleName.value, typhoon };
});

/** null until city and style have come and belong together. */
export const wanted = computed(() => styleWith(look.value));
/** The style of the second map; null where there is none. */
export const wantedBeside = computed(() => (comparing.value === 'swipe' || comparing.value === 'side' ? styleWith(otherLook.value) : null));

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
