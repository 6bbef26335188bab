/** A link in two runs of traffic, hour by hour: a line of its volume each, and both states under each other. */

import { useMemo } from 'preact/hooks';
import type { ResultLayer } from '../../api/scenarios';
import { formatNumber, number, t } from '../../i18n/text';
import { momentOf } from '../../state/scenarios/moments';
import { other, run, shift } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import type { Drawn } from '../sensing/chart';
import { LINES } from '../sensing/SeriesChart';
import { zone } from '../sensing/words';
import { ClockChart } from './ClockChart';
import { LinkCounts } from './LinkCounts';
import { statesOf, type LinkState } from './link_states';
import { useValues } from './Probed';
import { TripUsers } from './TripUsers';

const LETTERS = ['A', 'B'] as const;

interface Hour {
  /** Milliseconds since 1970, in the times of the first run; null: the run has one state alone. */
  readonly time: number | null;
  readonly hour: number;
  /** Of the first and the second run; null: nobody uses the link then. */
  readonly states: readonly [LinkState | null, LinkState | null];
}

/** layers: the traffic of the first and the second run. */
export function LinkBeside({ uid, layers }: { uid: string; layers: readonly [ResultLayer, ResultLayer] }) {
  const root = city.value?.root ?? '';
  const { value } = useValues(`${layers.map(({ id }) => id).join()} ${uid}`, async (signal) => {
    const [first, second] = await Promise.all([statesOf(root, layers[0], uid, signal), statesOf(root, layers[1], uid, signal)]);
    return hoursOf(first, second, shift.peek());
  });
  const chosen = view.value.selected?.layer ?? '';
  const job = other.value?.twin.layers.some(({ id }) => id === chosen) ? other.value : run.value;
  if (!value || value.length === 0) return null;
  const colours = LINES[view.value.style];
  return (
    <section aria-label={t('link.title')}>
      <h3 class="run-heading">{t('link.title')}</h3>
      {value.length > 1 && <Plot hours={value} />}
      <table class="figures link-hours">
        <thead>
          <tr>
            {(['link.hour', 'compare.run', 'link.volume', 'link.speed', 'link.load', 'link.delay'] as const).map((key) => (
              <th key={key} scope="col">
                {t(key)}
              </th>
            ))}
          </tr>
        </thead>
        {value.map(({ time, hour, states }) => (
          <tbody key={time}>
            {states.map((state, index) => (
              <tr key={LETTERS[index]}>
                {index === 0 && (
                  <th scope="rowgroup" rowSpan={2}>
                    {hour}:00
                  </th>
                )}
                <th scope="row">
                  <i class="line-key" style={{ background: colours[index] }} aria-hidden="true" /> {LETTERS[index]}
                </th>
                <td>{state ? number(state.volume, 0) : 0}</td>
                <td>{state ? number(state.speed_kmh, 0) : '—'}</td>
                <td>{state ? formatNumber(state.load, view.value.language, 2) : '—'}</td>
                <td>{state ? number(state.delay_s, 0) : '—'}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
      <p class="quiet">{t('link.units')}</p>
      {job === run.value && <LinkCounts uid={uid} />}
      <TripUsers key={`${job?.jobID} ${uid}`} uid={uid} job={job} at={momentOf(chosen)} />
    </section>
  );
}

/** The states of both runs by their time, the second one's put back by so many milliseconds. */
function hoursOf(first: readonly LinkState[], second: readonly LinkState[], later: number): readonly Hour[] {
  const timeOf = ({ valid_from }: LinkState, back: number): number | null => (valid_from === null ? null : Date.parse(valid_from) - back);
  const times = [...new Set([...first.map((each) => timeOf(each, 0)), ...second.map((each) => timeOf(each, later))])].sort((a, b) => (a ?? 0) - (b ?? 0));
  return times.map((time) => {
    const states = [first.find((each) => timeOf(each, 0) === time) ?? null, second.find((each) => timeOf(each, later) === time) ?? null] as const;
    return { time, hour: (states[0] ?? states[1])?.hour ?? 0, states };
  });
}

function Plot({ hours }: { hours: readonly Hour[] }) {
  const { language, style } = view.value;
  const drawn = useMemo((): Drawn => {
    const time = hours.map((hour) => (hour.time ?? 0) / 1000);
    const lines = LETTERS.map((title, stream) => ({ stream, time, value: hours.map(({ states }) => states[stream]?.volume ?? 0), bar: null, title, unit: '', colour: LINES[style][stream] ?? '' }));
    return { from: time[0] ?? 0, to: time.at(-1) ?? 0, zone: zone(), language, lines, levels: [] };
  }, [hours, language, style]);
  return <ClockChart drawn={drawn} label={t('link.chart')} />;
}
