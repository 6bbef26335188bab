/** What happened between t1 and t2: the window, the map's clock in it, and the events along it. */

import { useEffect, useState } from 'preact/hooks';
import { number, t } from '../../i18n/text';
import { changeSensing, openEvent } from '../../state/sensing/cards';
import { closeTimeBar, goLive, moment, present, setMoment, setWindow, timeWindow } from '../../state/sensing/clock';
import { events, overlaps } from '../../state/sensing/events';
import { readingPast } from '../../state/sensing/past';
import { SEVERITIES } from '../../state/sensing/states';
import { fromField, toField } from '../../state/sensing/times';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { fullTime, timeText, zone } from './words';

/** The slider's steps; playing takes one each so many milliseconds. */
const STEPS = 288;
const TURN = 250;

export function TimeBar() {
  const window = timeWindow.value;
  if (!window) return null;
  return <OpenBar window={window} />;
}

function OpenBar({ window: [from, to] }: { window: readonly [number, number] }) {
  const [playing, setPlaying] = useState(false);
  const at = moment.value;
  const step = (to - from) / STEPS;
  useEffect(() => {
    if (!playing) return;
    const timer = window.setInterval(() => {
      const next = (moment.peek() ?? from) + step;
      if (next > to) setPlaying(false);
      setMoment(Math.min(next, to));
    }, TURN);
    return () => window.clearInterval(timer);
  }, [playing, from, to]);
  const play = (): void => {
    if (!playing && (at === null || at >= to)) setMoment(from);
    setPlaying(!playing);
  };
  return (
    <section class="time-bar" aria-label={t('time.title')}>
      <div class="time-head">
        <Edges from={from} to={to} />
        <p class="time-told" role="status">
          {readingPast.value ? t('time.reading') : happened(from, to)}
        </p>
        {view.value.sensing.streams.length > 0 && (
          <button type="button" class="text-button" aria-pressed={view.value.sensing.span === 'window'} onClick={() => changeSensing({ span: 'window' })}>
            {t('time.chart')}
          </button>
        )}
        <button type="button" class="bare" aria-label={t('time.close')} title={t('time.close')} onClick={closeTimeBar}>
          <Icon name="close" />
        </button>
      </div>
      <div class="time-line">
        <button type="button" class="bare" aria-label={t(playing ? 'time.pause' : 'time.play')} onClick={play}>
          <Icon name={playing ? 'pause' : 'play'} />
        </button>
        <div class="time-track">
          <Ticks from={from} to={to} />
          <input
            type="range"
            min={from}
            max={to}
            step={60_000}
            value={at ?? to}
            aria-label={t('time.clock')}
            aria-valuetext={at === null ? t('time.live') : fullTime(at)}
            onInput={(event) => setMoment(Number(event.currentTarget.value))}
          />
        </div>
        <output class="time-now">{at === null ? t('chart.now') : timeText(at)}</output>
        <button type="button" class="text-button" disabled={at === null} onClick={goLive}>
          {t('time.live')}
        </button>
      </div>
    </section>
  );
}

function Edges({ from, to }: { from: number; to: number }) {
  const change = (text: string, set: (time: number) => void): void => {
    const time = fromField(text, zone());
    if (time !== null) set(time);
  };
  return (
    <div class="time-edges">
      <label>
        <span>{t('time.from')}</span>
        <input type="datetime-local" value={toField(from, zone())} max={toField(to, zone())} onChange={(event) => change(event.currentTarget.value, (time) => setWindow(time, to))} />
      </label>
      <label>
        <span>{t('time.to')}</span>
        <input type="datetime-local" value={toField(to, zone())} min={toField(from, zone())} max={toField(Math.max(to, present()), zone())} onChange={(event) => change(event.currentTarget.value, (time) => setWindow(from, time))} />
      </label>
    </div>
  );
}

function happened(from: number, to: number): string {
  const found = [...events.value.values()].filter((event) => overlaps(event.properties, [from, to]));
  const grave = found.filter((event) => event.properties.severity === 'red' || event.properties.severity === 'orange');
  return t('time.happened', { events: number(found.length), grave: number(grave.length) });
}

/** The events where they began: the grave ones over the others. Twins of the list's rows, so left out of the tab order. */
function Ticks({ from, to }: { from: number; to: number }) {
  const began = [...events.value.values()]
    .map((event) => ({ event, time: Date.parse(event.properties.began_at) }))
    .filter(({ time }) => time >= from && time <= to)
    .sort((a, b) => SEVERITIES.indexOf(b.event.properties.severity) - SEVERITIES.indexOf(a.event.properties.severity));
  return (
    <div class="ticks" aria-hidden="true">
      {began.map(({ event, time }) => (
        <i
          key={event.id}
          class={`tick is-${event.properties.severity}`}
          style={{ left: `${(100 * (time - from)) / (to - from)}%` }}
          title={`${event.properties.title} · ${timeText(time)}`}
          onClick={() => openEvent(event.id)}
        />
      ))}
    </div>
  );
}
