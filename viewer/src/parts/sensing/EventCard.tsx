/** The card of an event: what it is, what was done about it, and what may be done next. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CityEvent, NewStep, Step } from '../../api/sensing';
import { number, pick, t } from '../../i18n/text';
import { boxOf } from '../../geo/scale';
import { seen } from '../../state/sensing/alarm';
import { closeCard, openEvent, openSensor } from '../../state/sensing/cards';
import { DAY, HOUR, present, setWindow } from '../../state/sensing/clock';
import { wish } from '../../state/scenarios/asking';
import { act, events, isOpen, mayCloseRoad, NEXT, type Did } from '../../state/sensing/events';
import { sensors } from '../../state/sensing/live';
import { LOOK_KEYS } from '../../state/sensing/states';
import { fromField } from '../../state/sensing/times';
import { announcement, city, map, opener } from '../../state/session';
import { select } from '../../state/selection';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { MergeForm } from './MergeForm';
import { Grade } from './Symbol';
import { fullTime, STATES, zone } from './words';

/** Degrees, a kilometre: the streets that traffic may turn to. */
const AROUND = 0.01;

export function EventCard() {
  const id = view.value.sensing.event;
  const event = id === null ? undefined : events.value.get(id);
  if (id === null || (!event && events.value.size === 0)) return null;
  return <Card key={id} event={event} />;
}

function Card({ event }: { event: CityEvent | undefined }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const from = opener.value;
  const title = event?.properties.title ?? t('event.gone');
  useEffect(() => {
    announcement.value = t('card.opened', { title });
    if (event) seen(event.id);
    if (from) heading.current?.focus({ preventScroll: true });
  }, [from, title]);
  return (
    <section class="card event-card" aria-label={t('event.title')} onKeyDown={(each) => each.key === 'Escape' && !each.defaultPrevented && closeCard()}>
      <div class="card-head">
        {event && <Grade severity={event.properties.severity} />}
        <div class="sensor-name">
          {event && (
            <p class="card-kind">
              {t(LOOK_KEYS[event.properties.severity])} · <b>{t(STATES[event.properties.state])}</b>
            </p>
          )}
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
        </div>
        <button type="button" class="bare" aria-label={t('card.close')} onClick={closeCard}>
          <Icon name="close" />
        </button>
      </div>
      {event && (
        <div class="card-body">
          {event.properties.text && <p class="event-text">{event.properties.text}</p>}
          <Life key={event.properties.state} event={event} />
          <Facts event={event} />
          <Ways event={event} />
          <History steps={event.history ?? []} />
        </div>
      )}
    </section>
  );
}

function Facts({ event }: { event: CityEvent }) {
  const { began_at, ended_at, raised_by, department, person, due_at, overdue, times, merged_into } = event.properties;
  const rows: readonly (readonly [string, ComponentChildren])[] = [
    [t('event.began'), fullTime(Date.parse(began_at))],
    [t('event.over'), ended_at === null ? t('event.still') : fullTime(Date.parse(ended_at))],
    [t('event.by'), raised_by],
    [t('event.department'), department],
    [t('event.person'), person],
    [t('event.due'), due_at && `${fullTime(Date.parse(due_at))}${overdue ? ` · ${t('event.overdue')}` : ''}`],
    [t('event.times'), times > 1 && number(times)],
    [t('event.merged_into'), merged_into !== null && <Other id={merged_into} />],
  ];
  return (
    <dl class="attributes">
      {rows.map(
        ([title, value]) =>
          value && (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** The way to another event. */
function Other({ id }: { id: number }) {
  return (
    <button type="button" class="text-button other-event" onClick={({ currentTarget }) => openEvent(id, currentTarget)}>
      {events.value.get(id)?.properties.title ?? t('event.number', { id })}
    </button>
  );
}

const DID = {
  raise: 'did.raise',
  acknowledge: 'did.acknowledge',
  assign: 'did.assign',
  start: 'did.start',
  resolve: 'did.resolve',
  close: 'did.close',
  reopen: 'did.reopen',
  note: 'did.note',
  over: 'did.over',
  escalate: 'did.escalate',
  repeat: 'did.repeat',
  merge: 'did.merge',
} as const;

/** What may be done next, and the form for what needs words. */
function Life({ event }: { event: CityEvent }) {
  const [form, setForm] = useState<Did | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (step: NewStep): Promise<void> => {
    setBusy(true);
    setProblem(await act(event.id, step));
    setBusy(false);
    setForm(null);
  };
  return (
    <div class="life">
      <div class="card-actions">
        {NEXT[event.properties.state].map((did, index) => (
          <button
            key={did}
            type="button"
            class={`button${index === 0 ? ' is-main' : ''}`}
            disabled={busy}
            aria-expanded={did === 'assign' ? form === 'assign' : undefined}
            onClick={() => (did === 'assign' ? setForm(form === did ? null : did) : void take({ did }))}
          >
            {t(DID[did])}
          </button>
        ))}
        <button type="button" class="button" disabled={busy} aria-expanded={form === 'note'} onClick={() => setForm(form === 'note' ? null : 'note')}>
          {t('did.note')}
        </button>
        {isOpen(event.properties.state) && (
          <button type="button" class="button" disabled={busy} aria-expanded={form === 'merge'} onClick={() => setForm(form === 'merge' ? null : 'merge')}>
            {t('event.merge_open')}
          </button>
        )}
      </div>
      {form === 'assign' && <AssignForm onDone={(step) => void take(step)} />}
      {form === 'note' && <NoteForm onDone={(step) => void take(step)} />}
      {form === 'merge' && <MergeForm event={event} onDone={(step) => void take(step)} />}
      {problem !== null && (
        <p class="notice is-trouble" role="alert">
          {t('event.failed', { reason: problem })}
        </p>
      )}
    </div>
  );
}

function AssignForm({ onDone }: { onDone: (step: NewStep) => void }) {
  const [missing, setMissing] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(values.get(name) ?? '').trim();
    const due = fromField(text('due'), zone());
    const step: NewStep = {
      did: 'assign',
      ...(text('department') && { department: text('department') }),
      ...(text('person') && { person: text('person') }),
      ...(text('note') && { note: text('note') }),
      ...(due !== null && { due_at: new Date(due).toISOString() }),
    };
    if (step.department || step.person) onDone(step);
    else setMissing(true);
  };
  return (
    <form class="step-form" onSubmit={submit}>
      <label class="wide-field">
        <span>{t('event.department')}</span>
        <input type="text" name="department" maxLength={200} />
      </label>
      <label class="wide-field">
        <span>{t('event.person')}</span>
        <input type="text" name="person" maxLength={200} />
      </label>
      <label class="wide-field">
        <span>{t('event.due')}</span>
        <input type="datetime-local" name="due" />
      </label>
      <NoteField />
      {missing && <p class="notice is-trouble">{t('event.give_name')}</p>}
      <button type="submit" class="button is-main">
        {t('did.assign')}
      </button>
    </form>
  );
}

function NoteForm({ onDone }: { onDone: (step: NewStep) => void }) {
  return (
    <form
      class="step-form"
      onSubmit={(event) => {
        event.preventDefault();
        onDone({ did: 'note', note: String(new FormData(event.currentTarget).get('note')) });
      }}
    >
      <NoteField required />
      <button type="submit" class="button is-main">
        {t('did.note')}
      </button>
    </form>
  );
}

function NoteField({ required = false }: { required?: boolean }) {
  return (
    <label class="wide-field">
      <span>{t('event.note_field')}</span>
      <textarea name="note" rows={2} maxLength={2000} required={required} />
    </label>
  );
}

/** To the sensor, the city objects and the time that it is of, and to what would be if it went on. */
function Ways({ event }: { event: CityEvent }) {
  const { datastream, objects, began_at, ended_at } = event.properties;
  const box = boxOf(event.geometry);
  const layers = objects.flatMap((object) => city.value?.collections.find((collection) => collection.id === object.layer && collection.id !== 'sensors') ?? []);
  const touched = objects.find((object) => object.layer === layers[0]?.id);
  const whole = (): void => {
    const end = ended_at === null ? present() : Date.parse(ended_at);
    const room = Math.max(HOUR, Math.min(DAY, (end - Date.parse(began_at)) / 2));
    setWindow(Date.parse(began_at) - room, Math.min(end + room, Math.max(present(), end)));
  };
  const whatIf = (): void => {
    if (box) map.peek()?.showBox([box[0] - AROUND, box[1] - AROUND, box[2] + AROUND, box[3] + AROUND]);
    wish('traffic', { closures: [{ event: event.id }] });
  };
  return (
    <div class="card-actions">
      {box && map.value && (
        <button type="button" class="button" onClick={() => map.peek()?.showBox(box)}>
          <Icon name="target" /> {t('card.zoom')}
        </button>
      )}
      {datastream !== null && sensors.value.has(datastream) && (
        <button type="button" class="button" onClick={() => openSensor(datastream)}>
          <Icon name="gauge" /> {t('event.sensor')}
        </button>
      )}
      {touched && layers[0] && (
        <button type="button" class="button" onClick={() => select({ layer: touched.layer, id: String(touched.object_id) })}>
          <Icon name="pin" /> {pick(layers[0].twin.title)}
        </button>
      )}
      <button type="button" class="button" onClick={whole}>
        <Icon name="clock" /> {t('event.window')}
      </button>
      {mayCloseRoad(event) && (
        <button type="button" class="button" onClick={whatIf}>
          <Icon name="play" /> {t('event.what_if')}
        </button>
      )}
    </div>
  );
}

function History({ steps }: { steps: readonly Step[] }) {
  if (steps.length === 0) return null;
  return (
    <>
      <h3 class="sensing-head">{t('event.history')}</h3>
      <ol class="history">
        {steps.map((step) => (
          <li key={step.id}>
            <b>{step.did in DID ? t(DID[step.did as keyof typeof DID]) : step.did}</b>
            <span>
              {fullTime(Date.parse(step.at))} · {step.who}
            </span>
            <Details step={step} />
            {step.note && <p>{step.note}</p>}
          </li>
        ))}
      </ol>
    </>
  );
}

/** Whom it was given to, and which other event it was found to be the same as. */
function Details({ step: { details } }: { step: Step }) {
  const given = ['department', 'person'].flatMap((name) => (typeof details?.[name] === 'string' ? [details[name]] : []));
  const other = details?.['into'] ?? details?.['merged'];
  return (
    <>
      {given.length > 0 && <p>{given.join(' · ')}</p>}
      {typeof other === 'number' && <Other id={other} />}
    </>
  );
}
