/** The values at a place through time, of the open run and of the one beside it, under the map's clock. */

import { useMemo } from 'preact/hooks';
import type { Position } from 'geojson';
import { getPointSeries, type PointSeries } from '../../api/scenarios';
import { number, t } from '../../i18n/text';
import { otherRaster, raster, shift } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { LINES } from '../sensing/SeriesChart';
import type { Drawn } from '../sensing/chart';
import { fullTime, zone } from '../sensing/words';
import { ClockChart } from './ClockChart';
import { useValues } from './Probed';

interface Told extends PointSeries {
  readonly name: string;
  /** Milliseconds by which its times are later than those they are shown at. */
  readonly later: number;
}

/** run: whose pane was asked; its line and row come first to the eye. */
export function PointChart({ at, run }: { at: Position; run: 'A' | 'B' }) {
  const root = city.value?.root ?? '';
  const layers = [raster.value, otherRaster.value].filter((layer) => layer !== null);
  const { value, failure } = useValues(`${layers.map((layer) => layer.id).join()} ${at.join()}`, (signal) =>
    Promise.all(layers.map(async (layer, index): Promise<Told> => ({ ...(await getPointSeries(root, layer.id, at, signal)), name: 'AB'[index] ?? '', later: index === 0 ? 0 : shift.peek() }))),
  );
  if (failure !== null) return <p class="quiet chart-space">{t('chart.failed', { reason: failure })}</p>;
  if (!value) return <p class="quiet chart-space">{t('chart.reading')}</p>;
  if (value.every((series) => series.values.every((each) => each === null))) return <p class="quiet">{t('probe.dry')}</p>;
  return (
    <>
      {value.some((series) => series.times.length > 1) && <Plot told={value} />}
      <Figures told={value} run={run} />
    </>
  );
}

function Plot({ told }: { told: readonly Told[] }) {
  const { language, style } = view.value;
  const drawn = useMemo((): Drawn => {
    const lines = told.map((series, index) => ({
      stream: index,
      // No water is a depth of nothing: the line stands on the axis then.
      ...amounts(series),
      bar: null,
      title: series.name,
      unit: series.unit ?? '',
      colour: LINES[style][index] ?? '',
    }));
    const times = lines.flatMap((line) => [line.time[0] ?? 0, line.time.at(-1) ?? 0]);
    return { from: Math.min(...times), to: Math.max(...times), zone: zone(), language, lines, levels: [] };
  }, [told, language, style]);
  return <ClockChart drawn={drawn} label={t('probe.chart')} />;
}

function amounts({ times, values, later }: Told): { readonly time: readonly number[]; readonly value: readonly number[] } {
  return { time: times.map((time) => (Date.parse(time ?? '') - later) / 1000), value: values.map((value) => value ?? 0) };
}

/** The chart in figures: for those who do not see it, and for what has no time. */
function Figures({ told, run }: { told: readonly Told[]; run: 'A' | 'B' }) {
  return (
    <table class="figures">
      <thead>
        <tr>
          <td />
          <th scope="col">{t('chart.most')}</th>
          <th scope="col">{t('probe.when')}</th>
        </tr>
      </thead>
      <tbody>
        {told.map(({ name, times, values, unit }, index) => {
          const most = Math.max(...values.map((value) => value ?? -Infinity));
          const when = times[values.indexOf(most)] ?? null;
          return (
            <tr key={name} aria-current={told.length > 1 && name === run}>
              <th scope="row">
                <i class="line-key" style={{ background: LINES[view.value.style][index] }} aria-hidden="true" /> {name}
              </th>
              <td>{Number.isFinite(most) ? `${number(most, 2)} ${unit === '1' ? '' : (unit ?? '')}` : '—'}</td>
              <td>{when === null || !Number.isFinite(most) ? '—' : fullTime(Date.parse(when)).slice(5)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
