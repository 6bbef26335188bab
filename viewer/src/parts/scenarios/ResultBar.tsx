/** The clock of a run: played, stepped, moved by hand; the states that there are as ticks under it. */

import { number, pick, t } from '../../i18n/text';
import { SPEEDS } from '../../state/scenarios/frames';
import { instant, pause, play, playing, setInstant, speed, step, waiting } from '../../state/scenarios/play';
import { shown } from '../../state/scenarios/results';
import { times } from '../../state/scenarios/runs';
import { Icon } from '../Icon';
import { fullTime } from '../sensing/words';

export function ResultBar() {
  const [first = 0, last = 0] = [times.value[0], times.value.at(-1)];
  const at = instant.value ?? first;
  const timeless = shown.value !== null && shown.value.moments.length === 0;
  return (
    <section class="time-bar result-bar" aria-label={t('clock.title')}>
      <div class="time-line">
        <button type="button" class="bare" aria-label={t('clock.before')} title={t('clock.before')} onClick={() => step(-1)}>
          <Icon name="back" />
        </button>
        <button type="button" class="play-button" aria-label={t(playing.value ? 'time.pause' : 'time.play')} onClick={() => (playing.value ? pause() : play())}>
          <Icon name={playing.value ? 'pause' : 'play'} />
        </button>
        <button type="button" class="bare" aria-label={t('clock.after')} title={t('clock.after')} onClick={() => step(1)}>
          <Icon name="forth" />
        </button>
        <div class="time-track">
          <div class="ticks" aria-hidden="true">
            {times.value.map((time) => (
              <i key={time} class="tick is-state" style={{ left: `${(100 * (time - first)) / (last - first)}%` }} />
            ))}
          </div>
          <input type="range" min={first} max={last} step={60_000} value={at} aria-label={t('clock.title')} aria-valuetext={fullTime(at)} onInput={(event) => setInstant(Number(event.currentTarget.value))} />
        </div>
        <output class={`result-now${waiting.value ? ' is-waiting' : ''}`}>
          <b>{fullTime(at).slice(11)}</b>
          <small>
            {fullTime(at).slice(5, 10)} · +{last - first < 7_200_000 ? `${number((at - first) / 60_000, 0)} min` : `${number((at - first) / 3_600_000, 1)} h`}
          </small>
        </output>
        <select class="speed" aria-label={t('clock.speed')} value={speed.value} onChange={(event) => (speed.value = Number(event.currentTarget.value))}>
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              × {each}
            </option>
          ))}
        </select>
      </div>
      {timeless && shown.value && <p class="quiet">{t('clock.timeless', { title: pick(shown.value.layer.title) })}</p>}
    </section>
  );
}
