/** What the card of a link says of its hours, of two states each: the volumes as lines, a state as the cells of a row. */

import { useMemo } from 'preact/hooks';
import type { Key } from '../../i18n/en';
import { formatNumber, number, t } from '../../i18n/text';
import { view } from '../../state/store';
import type { Drawn } from '../sensing/chart';
import { LINES } from '../sensing/SeriesChart';
import { zone } from '../sensing/words';
import { ClockChart } from './ClockChart';
import type { LinkHour, LinkState } from './link_states';

/** The columns of `StateCells`. */
export const STATE_COLUMNS = ['link.volume', 'link.speed', 'link.load', 'link.delay'] as const satisfies readonly Key[];

/** The colour of the first or the second line of the chart, as a key to it. */
export function LineKey({ line }: { line: number }) {
  return <i class="line-key" style={{ background: LINES[view.value.style][line] }} aria-hidden="true" />;
}

/** null: nobody uses the link then. */
export function StateCells({ state }: { state: LinkState | null }) {
  return (
    <>
      <td>{state ? number(state.volume, 0) : 0}</td>
      <td>{state ? number(state.speed_kmh, 0) : '—'}</td>
      <td>{state ? formatNumber(state.load, view.value.language, 2) : '—'}</td>
      <td>{state ? number(state.delay_s, 0) : '—'}</td>
    </>
  );
}

/** titles: of the first and the second states. Nothing for what has one hour alone. */
export function VolumeChart({ hours, titles }: { hours: readonly LinkHour[]; titles: readonly [string, string] }) {
  const { language, style } = view.value;
  const drawn = useMemo((): Drawn => {
    const time = hours.map((hour) => (hour.time ?? 0) / 1000);
    const lines = titles.map((title, stream) => ({ stream, time, value: hours.map(({ states }) => states[stream]?.volume ?? 0), bar: null, title, unit: '', colour: LINES[style][stream] ?? '' }));
    return { from: time[0] ?? 0, to: time.at(-1) ?? 0, zone: zone(), language, lines, levels: [] };
  }, [hours, language, style]);
  return hours.length > 1 ? <ClockChart drawn={drawn} label={t('link.chart')} /> : null;
}
