/** The layers of a run: which values lie on the map, what they mean, which objects stand over them. */

import type { RampStop, ResultLayer } from '../../api/scenarios';
import { number, pick, t } from '../../i18n/text';
import { DIFFERENCE, gradient } from '../../state/scenarios/ramp';
import { probeLine, probing } from '../../state/scenarios/probe';
import { beside, shown } from '../../state/scenarios/results';
import { raster, run, showLayer, vectors } from '../../state/scenarios/runs';
import { map, resultLayers } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { Legend } from '../Legend';
import { VehicleLegend } from './VehicleLegend';

export function ResultLayers() {
  const layers = run.value?.twin.layers ?? [];
  const rasters = layers.filter((layer) => layer.kind === 'raster');
  const objects = layers.filter((layer) => layer.kind === 'vector');
  const on = [raster.value, ...vectors.value];
  return (
    <section class="result-layers" aria-label={t('run.layers')}>
      {rasters.length > 0 && (
        <>
          <div class="chips" role="group" aria-label={t('run.values')}>
            {rasters.map((layer) => (
              <Chip key={layer.id} layer={layer} on={on.includes(layer)} />
            ))}
          </div>
          <RampLegend />
          {raster.value && <Asking />}
        </>
      )}
      {objects.length > 0 && (
        <div class="chips" role="group" aria-label={t('run.objects')}>
          {objects.map((layer) => (
            <Chip key={layer.id} layer={layer} on={on.includes(layer)} />
          ))}
        </div>
      )}
      <VehicleLegend />
      {vectors.value.map((layer) => (
        <ObjectLegend key={layer.id} layer={layer} />
      ))}
    </section>
  );
}

function Chip({ layer, on }: { layer: ResultLayer; on: boolean }) {
  return (
    <button type="button" class="result-chip" aria-pressed={on} onClick={() => showLayer(layer, !on)}>
      {layer.times.length > 1 && <Icon name="clock" />} {pick(layer.title)}
    </button>
  );
}

function Asking() {
  return (
    <div class="probe-tools">
      <button type="button" class="text-button" aria-pressed={probing.value} onClick={() => (probing.value = !probing.peek())}>
        <Icon name="target" /> {t('probe.point')}
      </button>
      <button type="button" class="text-button" disabled={!map.value} onClick={() => void probeLine()}>
        <Icon name="pen" /> {t('probe.line')}
      </button>
    </div>
  );
}

export function ObjectLegend({ layer }: { layer: ResultLayer }) {
  const told = resultLayers.value.find(({ id }) => id === layer.id)?.twin.legend ?? [];
  // One colour is called as the layer is.
  const entries = told.length === 1 ? told.map((entry) => ({ ...entry, label: layer.title })) : told;
  return (
    <figure class="ramp">
      {entries.length > 1 && <figcaption>{pick(layer.title)}</figcaption>}
      <Legend entries={entries} />
    </figure>
  );
}

/** What the colours mean: of the values, or of the difference between two runs. */
export function RampLegend() {
  const now = shown.value;
  if (!now) return null;
  const { twin } = now.tiles;
  const differs = beside.value !== null && view.value.scenario.comparison === 'difference';
  const ramp = differs ? DIFFERENCE : view.value.style === 'night' ? twin.ramp_night : twin.ramp;
  const marks = ramp.filter(([, , opacity]) => opacity > 0);
  const title = differs ? t('compare.legend', { title: pick(now.layer.title) }) : pick(now.layer.title);
  return (
    <figure class="ramp">
      <figcaption>
        {title}
        {twin.unit !== null && twin.unit !== '1' && ` (${twin.unit})`}
      </figcaption>
      <div class={`ramp-bar${differs ? '' : ' is-water'}`} style={{ background: gradient(ramp, !differs && twin.classes) }} />
      <ol class={`ramp-marks${!differs && twin.classes ? ' is-classed' : ''}`}>
        {marks.map(([value]: RampStop) => (
          <li key={value}>{differs && value > 0 ? `+${number(value)}` : number(value)}</li>
        ))}
      </ol>
    </figure>
  );
}
