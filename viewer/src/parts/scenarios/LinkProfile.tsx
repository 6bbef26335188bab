/** A link of a traffic run through its hours: volume as it is and as it would be, speed, load and delay. */

import { useMemo } from 'preact/hooks';
import { formatNumber, number, t } from '../../i18n/text';
import { moment } from '../../state/scenarios/moments';
import { run, traffics } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import type { Drawn } from '../sensing/chart';
import { LINES } from '../sensing/SeriesChart';
import { zone } from '../sensing/words';
import { ClockChart } from './ClockChart';
import { LinkBeside } from './LinkBeside';
import { LinkCounts } from './LinkCounts';
import { statesOf, type LinkState } from './link_states';
import { useValues } from './Probed';
import { TripUsers } from './TripUsers';

interface Hour {
  readonly usual: LinkState | null;
  readonly now: LinkState | null;
}

/** Which line of the chart a column is. */
const KEYS: Readonly<Record<string, number>> = { 'link.volume': 0, 'link.usual': 1 };

export function LinkProfile({ uid }: { uid: string }) {
  const both = traffics.value;
  return both ? <LinkBeside uid={uid} layers={both} /> : <LinkAlone uid={uid} />;
}

function LinkAlone({ uid }: { uid: string }) {
  const root = city.value?.root ?? '';
  const layers = run.value?.twin.layers ?? [];
  const [traffic, usual] = ['traffic', 'usual'].map((role) => layers.find((layer) => layer.role === role));
  const { value } = useValues(`${traffic?.id} ${usual?.id} ${uid}`, async (signal) => {
    const [now, before] = await Promise.all([traffic, usual].map((layer) => (layer === undefined ? [] : statesOf(root, layer, uid, signal))));
    return paired(now ?? [], usual === undefined ? (now ?? []) : (before ?? []));
  });
  if (!value || value.length === 0) return null;
  return (
    <section aria-label={t('link.title')}>
      <h3 class="run-heading">{t('link.title')}</h3>
      {value.length > 1 && <Plot hours={value} />}
      <table class="figures link-hours">
        <thead>
          <tr>
            {(['link.hour', 'link.usual', 'link.volume', 'link.speed', 'link.load', 'link.delay'] as const).map((key) => (
              <th key={key} scope="col">
                {value.length > 1 && KEYS[key] !== undefined && <i class="line-key" style={{ background: LINES[view.value.style][KEYS[key]] }} aria-hidden="true" />} {t(key)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {value.map(({ usual: before, now }) => {
            const at = (now ?? before)?.valid_from ?? null;
            return (
              <tr key={at} aria-current={at !== null && moment.value !== null && Date.parse(at) === Date.parse(moment.value)}>
                <th scope="row">{(now ?? before)?.hour}:00</th>
                <td>{before ? number(before.volume, 0) : 0}</td>
                <td>{now ? number(now.volume, 0) : 0}</td>
                <td>{now ? number(now.speed_kmh, 0) : '—'}</td>
                <td>{now ? formatNumber(now.load, view.value.language, 2) : '—'}</td>
                <td>{now ? number(now.delay_s, 0) : '—'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="quiet">{t('link.units')}</p>
      <LinkCounts uid={uid} />
      <TripUsers key={uid} uid={uid} job={run.value} at={moment.value} />
    </section>
  );
}

/** State by state: a link that nobody uses then is not told of. */
function paired(now: readonly LinkState[], usual: readonly LinkState[]): readonly Hour[] {
  const key = ({ valid_from }: LinkState): number => (valid_from === null ? 0 : Date.parse(valid_from));
  const times = [...new Set([...now, ...usual].map(key))].sort((a, b) => a - b);
  return times.map((time) => ({ usual: usual.find((each) => key(each) === time) ?? null, now: now.find((each) => key(each) === time) ?? null }));
}

function Plot({ hours }: { hours: readonly Hour[] }) {
  const { language, style } = view.value;
  const drawn = useMemo((): Drawn => {
    const time = hours.map(({ usual, now }) => Date.parse((now ?? usual)?.valid_from ?? '') / 1000);
    const line = (stream: number, title: string, value: (hour: Hour) => number) => ({ stream, time, value: hours.map(value), bar: null, title, unit: '', colour: LINES[style][stream] ?? '' });
    const lines = [line(0, t('link.volume'), ({ now }) => now?.volume ?? 0), line(1, t('link.usual'), ({ usual }) => usual?.volume ?? 0)];
    return { from: time[0] ?? 0, to: time.at(-1) ?? 0, zone: zone(), language, lines, levels: [] };
  }, [hours, language, style]);
  return <ClockChart drawn={drawn} label={t('link.chart')} />;
}
