/** The chart of some sensors, with their figures as a table, and the series as a file. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import { getRules, getSeries, seriesAddress, type Rule } from '../../api/sensing';
import { isAbort } from '../../api/client';
import { number, pick, t } from '../../i18n/text';
import { moment, setMoment, setWindow, timeWindow } from '../../state/sensing/clock';
import { now } from '../../state/sensing/live';
import { useAnswer } from '../../state/sensing/asking';
import { bucketOf, figures, lineOf, queries, spanOf, type Line, type Window } from '../../state/sensing/series';
import { isTotal, unitText, type Sensor } from '../../state/sensing/states';
import { thresholdsOf } from '../../state/sensing/thresholds';
import { city } from '../../state/session';
import { field, view } from '../../state/store';
import { Icon } from '../Icon';
import { entered } from '../../state/sensing/by_hand';
import { HandList } from './ByHand';
import type { Drawn } from './chart';
import { Plotted } from './Plotted';
import { fullTime, levelName, measure, zone } from './words';

/** Milliseconds after which a chart that runs to the present is read again. */
const REFRESH = 20_000;
/** Lines as they are told apart on both papers: dark enough by day, light enough by night. */
export const LINES: Readonly<Record<'day' | 'night', readonly string[]>> = {
  day: ['#0b5a8a', '#b3420a', '#16775a', '#8a2a88', '#7a5b00', '#b01e46'],
  night: ['#7ec3f0', '#ffa267', '#5fd0a4', '#e39be0', '#e4c34d', '#ff8fa8'],
};

const style = field('style');

interface Read {
  readonly lines: readonly Line[];
  readonly span: Window | null;
}

export function SeriesChart({ sensors }: { sensors: readonly Sensor[] }) {
  const { read, failure } = useSeries(sensors);
  if (failure !== null) return <p class="quiet chart-space">{t('chart.failed', { reason: failure })}</p>;
  if (!read) return <p class="quiet chart-space">{t('chart.reading')}</p>;
  if (read.lines.every((line) => line.time.length === 0)) return <p class="quiet chart-space">{t('chart.none')}</p>;
  const shown = sensors.filter((sensor) => read.lines.some((line) => line.stream === sensor.id));
  return (
    <>
      <Plot sensors={shown} read={read} />
      <FigureTable sensors={shown} read={read} />
      <HandList sensors={sensors} span={read.span} />
      <Files sensors={sensors} span={read.span} />
    </>
  );
}

/** The series of the sensors over the span of the view, read again as time goes by. */
function useSeries(sensors: readonly Sensor[]): { read: Read | null; failure: string | null } {
  const [state, setState] = useState<{ read: Read | null; failure: string | null }>({ read: null, failure: null });
  const root = city.value?.root;
  const { span } = view.value.sensing;
  const ids = sensors.map((sensor) => sensor.id).join();
  const window = span === 'window' ? timeWindow.value : null;
  const latest = Math.max(...sensors.map((sensor) => sensor.time ?? 0));
  // Once in a while for what runs to the present; not for each reading.
  const turn = window ? 0 : Math.floor(Math.max(latest, now.value) / REFRESH);
  useEffect(() => {
    if (root === undefined) return;
    const abort = new AbortController();
    const asked = spanOf(span, latest || null, now.peek(), window);
    Promise.all(queries(sensors, asked).map((query) => getSeries(root, query, abort.signal))).then(
      (answers) => setState({ read: { lines: answers.flat().map((series) => lineOf(series, asked)), span: asked }, failure: null }),
      (error: unknown) => {
        if (!isAbort(error)) setState({ read: null, failure: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [root, ids, span, window?.join(), turn, entered.value]);
  return state;
}

function Plot({ sensors, read }: { sensors: readonly Sensor[]; read: Read }) {
  const { language } = view.value;
  const rules = useAnswer('rules', getRules).value;
  const drawn = useMemo((): Drawn => describe(sensors, read, rules ?? []), [read, rules, language, style.value, sensors.map((sensor) => sensor.id).join()]);
  const [from, to] = [drawn.from, drawn.to].map((seconds) => fullTime(seconds * 1000));
  return (
    <>
      <Plotted
        drawn={drawn}
        label={t('chart.label', { titles: sensors.map((sensor) => sensor.title).join(', '), from: from ?? '', to: to ?? '' })}
        at={moment.value}
        live={t('chart.now')}
        onMoment={setMoment}
        onWindow={setWindow}
      />
      <p class="quiet chart-hint">
        {bars(read)} {t('chart.hint')}
      </p>
    </>
  );
}

/** All that the chart draws. */
function describe(sensors: readonly Sensor[], { lines, span }: Read, rules: readonly Rule[]): Drawn {
  const colours = LINES[style.value];
  const times = lines.flatMap((line) => [line.time[0], line.time.at(-1)]).filter((time) => time !== undefined);
  const first = sensors[0];
  return {
    from: span?.from ?? Math.min(...times),
    to: span?.to ?? Math.max(...times) + (lines[0]?.bar ?? 0),
    zone: zone(),
    language: view.value.language,
    lines: lines.map((line) => {
      const index = sensors.findIndex((sensor) => sensor.id === line.stream);
      const sensor = sensors[index];
      return { ...line, title: sensor?.title ?? '', unit: unitText(sensor?.unit ?? null, view.value.language), colour: colours[index % colours.length] ?? '' };
    }),
    // Reference levels of one station say nothing of another.
    levels:
      sensors.length === 1 && first
        ? thresholdsOf(first, rules).map(({ level, title, value, severity }) => ({ name: level === null ? title && pick(title) : levelName(level), value, severity }))
        : [],
  };
}

function bars({ lines, span }: Read): string {
  if (!lines.some((line) => line.bar !== null)) return '';
  const { text } = bucketOf(span && span.to - span.from);
  return t(text === 'PT1H' ? 'chart.each_hour' : text === 'PT6H' ? 'chart.each_6h' : 'chart.each_day') + (view.value.language === 'zh' ? '。' : '.');
}

/** What the chart shows, in figures: for those who do not see it. */
function FigureTable({ sensors, read }: { sensors: readonly Sensor[]; read: Read }) {
  const colours = LINES[style.value];
  return (
    <table class="figures series-figures">
      <thead>
        <tr>
          <td />
          <th scope="col">{t('chart.last')}</th>
          <th scope="col">{t('chart.least')}</th>
          <th scope="col">{t('chart.most')}</th>
          {sensors.some((sensor) => isTotal(sensor.kind)) && <th scope="col">{t('chart.sum')}</th>}
        </tr>
      </thead>
      <tbody>
        {sensors.map((sensor, index) => {
          const line = read.lines.find((each) => each.stream === sensor.id);
          const { least, most, last, sum } = figures(line ?? { value: [] });
          const cell = (value: number | null): string => (value === null ? '—' : measure(value, sensor.unit));
          return (
            <tr key={sensor.id}>
              <th scope="row">
                <i class="line-key" style={{ background: colours[index % colours.length] }} aria-hidden="true" /> {sensor.title}
              </th>
              <td>{cell(last)}</td>
              <td>{cell(least)}</td>
              <td>{cell(most)}</td>
              {sensors.some((each) => isTotal(each.kind)) && <td>{isTotal(sensor.kind) ? `${number(sum, 1)} ${sensor.unit ?? ''}` : ''}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Files({ sensors, span }: { sensors: readonly Sensor[]; span: Window | null }) {
  const root = city.value?.root;
  if (root === undefined) return null;
  const address = seriesAddress(root, { streams: sensors.map((sensor) => sensor.id), span: span ? [span.from, span.to] : null, bucket: null, f: 'csv' });
  return (
    <a class="text-button chart-file" download={`${sensors.map((sensor) => sensor.title).join('-')}.csv`} href={address}>
      <Icon name="download" /> {t('sensor.csv')}
    </a>
  );
}
