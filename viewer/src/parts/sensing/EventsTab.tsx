/** What calls for attention, as a list: by severity, state and place, and within the time bar's window. */

import { useState } from 'preact/hooks';
import { number, t } from '../../i18n/text';
import type { CityEvent, Severity } from '../../api/sensing';
import { sound, soundWanted, switchSound } from '../../state/sensing/alarm';
import { openEvent } from '../../state/sensing/cards';
import { timeWindow } from '../../state/sensing/clock';
import { filter, shownEvents, type Stage } from '../../state/sensing/events';
import { LOOK_KEYS, SEVERITIES } from '../../state/sensing/states';
import { boxOf } from '../../geo/scale';
import { map } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { RaiseForm } from './RaiseForm';
import { SignalForm } from './SignalForm';
import { Grade } from './Symbol';
import { STATES, timeText } from './words';

/** Rows shown; the filter narrows a longer list. */
const MOST_ROWS = 200;
const STAGES = [
  ['open', 'events.open'],
  ['done', 'events.done'],
  ['all', 'events.all'],
] as const satisfies readonly (readonly [Stage, string])[];

export function EventsTab() {
  const found = shownEvents.value;
  const window = timeWindow.value;
  const count = number(found.length);
  return (
    <div class="sensing">
      <Filters />
      <Forms />
      <p class="quiet" role="status">
        {found.length === 0
          ? t('events.none')
          : window
            ? t('events.count_window', { count, from: timeText(window[0]), to: timeText(window[1]) })
            : t('events.count', { count })}
      </p>
      <ul class="event-rows">
        {found.slice(0, MOST_ROWS).map((event) => (
          <EventRow key={event.id} event={event} />
        ))}
      </ul>
      <SoundSwitch />
    </div>
  );
}

/** For what no sensor tells: a call, a patrol, what an authority issued. */
function Forms() {
  const [open, setOpen] = useState<'event' | 'signal' | null>(null);
  const close = (): void => setOpen(null);
  return (
    <>
      <div class="card-actions">
        {(['event', 'signal'] as const).map((form) => (
          <button key={form} type="button" class="button" aria-expanded={open === form} onClick={() => setOpen(open === form ? null : form)}>
            <Icon name={form === 'event' ? 'plus' : 'warning'} /> {t(form === 'event' ? 'raise.title' : 'signal.record')}
          </button>
        ))}
      </div>
      {open === 'event' && <RaiseForm onDone={close} />}
      {open === 'signal' && <SignalForm onDone={close} />}
    </>
  );
}

function Filters() {
  const now = filter.value;
  const toggle = (severity: Severity): void => {
    const severities = SEVERITIES.filter((each) => (each === severity) !== now.severities.includes(each));
    filter.value = { ...now, severities };
  };
  return (
    <div class="event-filter">
      <div class="choices is-wide" role="group" aria-label={t('events.stage')}>
        {STAGES.map(([stage, key]) => (
          <button key={stage} type="button" aria-pressed={now.stage === stage} onClick={() => (filter.value = { ...now, stage })}>
            {t(key)}
          </button>
        ))}
      </div>
      <div class="severities" role="group" aria-label={t('events.severity')}>
        {SEVERITIES.map((severity) => (
          <button key={severity} type="button" class="severity" aria-pressed={now.severities.includes(severity)} aria-label={t(LOOK_KEYS[severity])} title={t(LOOK_KEYS[severity])} onClick={() => toggle(severity)}>
            <Grade severity={severity} />
          </button>
        ))}
        <label class="choice">
          <input type="checkbox" class="check" checked={now.inView} onChange={(event) => (filter.value = { ...now, inView: event.currentTarget.checked })} />
          {t('events.in_view')}
        </label>
      </div>
    </div>
  );
}

export function EventRow({ event }: { event: CityEvent }) {
  const { severity, state, title, began_at, ended_at, overdue, person, department } = event.properties;
  const box = boxOf(event.geometry);
  const told = [t(STATES[state]), department ?? person, overdue && t('event.overdue')].filter(Boolean).join(' · ');
  return (
    <li>
      <button
        type="button"
        class={`event-row is-${state}${overdue ? ' is-overdue' : ''}`}
        aria-current={view.value.sensing.event === event.id}
        onClick={({ currentTarget }) => {
          openEvent(event.id, currentTarget);
          if (box) map.peek()?.showBox(box);
        }}
      >
        <Grade severity={severity} />
        <span>
          <b>
            <span class="unseen">{t(LOOK_KEYS[severity])} </span>
            {title}
          </b>
          <small>
            {timeText(Date.parse(began_at))} – {ended_at === null ? t('event.still') : timeText(Date.parse(ended_at))} · {told}
          </small>
        </span>
      </button>
    </li>
  );
}

function SoundSwitch() {
  return (
    <>
      <label class="choice sound">
        <input type="checkbox" class="check" checked={soundWanted.value} onChange={(event) => switchSound(event.currentTarget.checked)} />
        <Icon name={soundWanted.value ? 'bell' : 'mute'} /> {t('events.sound')}
      </label>
      {soundWanted.value && !sound.value && <p class="quiet">{t('events.sound_waits')}</p>}
    </>
  );
}
