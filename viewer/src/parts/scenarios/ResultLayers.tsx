/** The layers of a run: which values lie on the map, what they mean, which objects stand over them. */

import type { RampStop, ResultLayer } from '../../api/scenarios';
import { number, pick, signed, t } from '../../i18n/text';
import { differenceRamp, gradient, ONLY_FIRST, ONLY_SECOND } from '../../state/scenarios/ramp';
import { probeLine, probing } from '../../state/scenarios/probe';
import { painted } from '../../state/scenarios/results';
import { comparing, layersOfBoth, otherVectors, raster, roles, showLayer, vectors } from '../../state/scenarios/runs';
import { map, resultLayers } from '../../state/session';
import { unitText } from '../../state/sensing/states';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { Legend } from '../Legend';
import { VehicleLegend } from './VehicleLegend';

export function ResultLayers() {
  const layers = layersOfBoth.value;
  const rasters = layers.filter((layer) => layer.kind === 'raster');
  const objects = layers.filter((layer) => layer.kind === 'vector');
  // A difference is of what both have: the objects of one of them would say something else.
  const differs = comparing.value === 'difference';
  return (
    <section class="result-layers" aria-label={t('run.layers')}>
      {rasters.length > 0 && (
        <>
          <div class="chips" role="group" aria-label={t('run.values')}>
            {rasters.map((layer) => (
              <Chip key={layer.id} layer={layer} on={roles.value.includes(layer.role)} />
            ))}
          </div>
          <RampLegend />
          {raster.value && <Asking />}
        </>
      )}
      {objects.length > 0 && !differs && (
        <div class="chips" role="group" aria-label={t('run.objects')}>
          {objects.map((layer) => (
            <Chip key={layer.id} layer={layer} on={roles.value.includes(layer.role)} />
          ))}
        </div>
      )}
      <VehicleLegend />
      {drawnObjects().map((layer) => (
        <ObjectLegend key={layer.id} layer={layer} />
      ))}
    </section>
  );
}

/** The layers of objects that a legend tells of: each kind once, whichever run has it. */
export function drawnObjects(): readonly ResultLayer[] {
  const all = [...vectors.value, ...otherVectors.value.filter(({ role }) => !vectors.value.some((layer) => layer.role === role))];
  return comparing.value === 'difference' ? all.filter(({ role }) => raster.value === null && role === 'closed') : all;
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
  const now = painted.value;
  if (!now) return null;
  const { twin } = now.values.tiles;
  const title = pick(now.values.layer.title);
  const unit = unitText(twin.unit, view.value.language);
  const inUnit = unit === '' ? '' : ` (${unit})`;
  if (now.less) return <Scale title={t('compare.legend', { title }) + inUnit} ramp={differenceRamp(twin.unit)} differs />;
  const ramp = view.value.style === 'night' ? twin.ramp_night : twin.ramp;
  if (!twin.classes) return <Scale title={title + inUnit} ramp={ramp} />;
  const entries = ramp.map(([, color], index) => ({ kind: 'fill' as const, color, label: twin.labels[index] ?? { zh: '', en: '' } }));
  return (
    <figure class="ramp">
      <figcaption>{title}</figcaption>
      <Legend entries={entries.filter((_, index) => (ramp[index]?.[2] ?? 0) > 0)} />
    </figure>
  );
}

/** Colours that go over into each other, from left to right. */
function Scale({ title, ramp, differs = false }: { title: string; ramp: readonly RampStop[]; differs?: boolean }) {
  const marks = ramp.filter(([, , opacity]) => opacity > 0);
  return (
    <figure class="ramp">
      <figcaption>{title}</figcaption>
      <div class={`ramp-bar${differs ? '' : ' is-water'}`} style={{ background: gradient(ramp) }} />
      <ol class="ramp-marks">
        {marks.map(([value]) => (
          <li key={value}>{differs ? signed(value) : number(value)}</li>
        ))}
      </ol>
      {differs && (
        <ul class="legend">
          {([['A', ONLY_FIRST], ['B', ONLY_SECOND]] as const).map(([letter, [, color]]) => (
            <li key={letter}>
              <i class="stripes" style={{ color }} aria-hidden="true" />
              <span>{t('compare.only', { run: letter })}</span>
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
