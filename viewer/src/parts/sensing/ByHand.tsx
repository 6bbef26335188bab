/** Readings that people took: a form for one, and those that were entered in the chart's time. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { getHandReadings, type KeptHandReading } from '../../api/sensing';
import { t } from '../../i18n/text';
import { enter, entered, lastObserver } from '../../state/sensing/by_hand';
import type { Window } from '../../state/sensing/series';
import { unitText, type Sensor } from '../../state/sensing/states';
import { fromField, toField } from '../../state/sensing/times';
import { announcement, city } from '../../state/session';
import { view } from '../../state/store';
import { fullTime, measure, zone } from './words';

/** onDone: the reading is kept, or nobody wants to enter one any more. */
export function HandForm({ sensor, onDone }: { sensor: Sensor; onDone: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const first = useRef<HTMLInputElement>(null);
  // It opens at the card's foot: whoever opened it shall see it.
  useEffect(() => first.current?.focus(), []);
  const unit = unitText(sensor.unit, view.value.language);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(values.get(name) ?? '').trim();
    const [result, time, observer] = [Number(text('result')), fromField(text('time'), zone()), text('observer')];
    if (time === null) return;
    enter({ datastream: sensor.id, result, time: new Date(time).toISOString(), observer, note: text('note') || null }, (reason) => {
      setProblem(reason);
      if (reason !== null) return;
      announcement.value = t('hand.saved', { value: measure(result, sensor.unit), observer });
      onDone();
    });
  };
  return (
    <form class="step-form hand-form" onSubmit={submit}>
      <label class="wide-field">
        <span>{unit ? t('hand.value_unit', { unit }) : t('hand.value')}</span>
        <input ref={first} type="number" name="result" step="any" required />
      </label>
      <label class="wide-field">
        <span>{t('hand.time', { zone: zone() })}</span>
        <input type="datetime-local" name="time" required defaultValue={toField(Date.now(), zone())} />
      </label>
      <label class="wide-field">
        <span>{t('hand.observer')}</span>
        <input type="text" name="observer" maxLength={100} required defaultValue={lastObserver()} />
      </label>
      <label class="wide-field">
        <span>{t('hand.note')}</span>
        <input type="text" name="note" maxLength={500} />
      </label>
      {problem !== null && (
        <p class="notice is-trouble" role="alert">
          {t('hand.failed', { reason: problem })}
        </p>
      )}
      <button type="submit" class="button is-main">
        {t('hand.save')}
      </button>
    </form>
  );
}

/** What was entered by hand in the time of the chart. */
export function HandList({ sensors, span }: { sensors: readonly Sensor[]; span: Window | null }) {
  const [found, setFound] = useState<readonly KeptHandReading[]>([]);
  const root = city.value?.root;
  const ids = sensors.map((sensor) => sensor.id);
  const chosen = view.value.sensing.span === 'window';
  useEffect(() => {
    if (root === undefined) return;
    const abort = new AbortController();
    // What was read just now is younger than the chart, unless that is of a time that was chosen.
    const asked = span && ([span.from, chosen ? span.to : Math.max(span.to, Date.now() / 1000)] as const);
    getHandReadings(root, ids, asked, abort.signal).then(setFound, () => undefined);
    return () => abort.abort();
  }, [root, ids.join(), chosen, span?.from, span?.to, entered.value]);
  if (found.length === 0) return null;
  return (
    <>
      <h3 class="sensing-head">{t('hand.title')}</h3>
      <ul class="hand-list">
        {found.map((reading) => {
          const sensor = sensors.find(({ id }) => id === reading.datastream);
          return (
            <li key={reading.id}>
              <b>{measure(reading.result, sensor?.unit ?? null)}</b> {fullTime(Date.parse(reading.time))} · {reading.observer}
              {sensors.length > 1 && sensor && ` · ${sensor.title}`}
              {reading.note && <p>{reading.note}</p>}
              {reading.account && <p class="quiet">{t('hand.account', { account: reading.account })}</p>}
            </li>
          );
        })}
      </ul>
    </>
  );
}
