/** At the foot of the map: where the pointer is, how long a kilometre is, whose data this is. */

import { useEffect, useState } from 'preact/hooks';
import { formatPlace, type Metres, type Place } from '../geo/coordinates';
import { loadProjection } from '../geo/metric';
import { formatLength, metresPerPixel, scaleBar } from '../geo/scale';
import { t } from '../i18n/text';
import { city, pointer } from '../state/session';
import { field, update, view } from '../state/store';
import type { CoordinateFormat } from '../state/view';
import { LiveButton } from './sensing/LiveBadge';

/** Pixels of the scale bar at most, on a wide screen and on a phone. */
const WIDEST_BAR = 96;
const WIDEST_BAR_ON_PHONE = 56;

const camera = field('camera');
const layers = field('layers');
const extras = field('extras');

export function StatusBar() {
  return (
    <footer class="status">
      <Attribution />
      <div class="status-tools">
        <LiveButton />
        <Coordinates />
        <Scale />
      </div>
    </footer>
  );
}

function Coordinates() {
  const loaded = city.value;
  const { coordinates, language } = view.value;
  const centre = camera.value;
  const place: Place | null = pointer.value?.place ?? centre;
  const metres = useMetres(place, coordinates === 'metric' ? loaded?.document.metric_crs_proj4 : undefined);
  if (!loaded || !place) return null;
  const geographic = `EPSG:${loaded.document.srid}`;
  const elevation = pointer.value?.elevation;
  return (
    <div class="coordinates">
      <span class="place" role="img" aria-label={`${t('coordinates.label')}: ${formatPlace(place, coordinates, metres, language)}`}>
        {formatPlace(place, coordinates, metres, language)}
      </span>
      {typeof elevation === 'number' && <span class="elevation">{t('coordinates.elevation', { height: elevation.toFixed(1) })}</span>}
      <select
        class="crs"
        aria-label={t('coordinates.crs')}
        value={coordinates}
        onChange={(event) => update({ coordinates: event.currentTarget.value as CoordinateFormat })}
      >
        <option value="degrees">{t('coordinates.degrees', { crs: geographic })}</option>
        <option value="dms">{t('coordinates.dms', { crs: geographic })}</option>
        <option value="mercator">{t('coordinates.mercator')}</option>
        <option value="metric">{t('coordinates.metric', { crs: loaded.document.metric_crs })}</option>
      </select>
    </div>
  );
}

/** The place in the city's metres once its projection is loaded. */
function useMetres(place: Place | null, definition: string | undefined): Metres | null {
  const [project, setProject] = useState<((place: Place) => Metres) | null>(null);
  useEffect(() => {
    setProject(null);
    if (definition === undefined) return;
    let wanted = true;
    loadProjection(definition).then(
      (projection) => wanted && setProject(() => projection.forward),
      () => wanted && setProject(null),
    );
    return () => {
      wanted = false;
    };
  }, [definition]);
  return place && project ? project(place) : null;
}

function Scale() {
  const place = camera.value;
  if (!place) return null;
  const { metres, pixels } = scaleBar(metresPerPixel(place.lat, place.zoom), window.innerWidth < 720 ? WIDEST_BAR_ON_PHONE : WIDEST_BAR);
  const length = formatLength(metres);
  return (
    <div class="scale" role="img" aria-label={t('scale.label', { length })}>
      <span>{length}</span>
      <i style={{ width: `${pixels}px` }} />
    </div>
  );
}

export function Attribution() {
  const visible = new Set(layers.value.filter((layer) => layer.visible).map((layer) => layer.id));
  const sources = (city.value?.collections ?? [])
    .filter((collection) => visible.has(collection.id))
    .map((collection) => collection.twin.attribution)
    .concat(extras.value.filter((extra) => extra.visible).map((extra) => extra.attribution))
    .filter((attribution): attribution is string => typeof attribution === 'string' && attribution !== '');
  if (sources.length === 0) return null;
  return (
    <p class="attribution">
      <span class="attribution-label">{t('attribution.label')}</span> {[...new Set(sources)].join(' · ')}
    </p>
  );
}
