/** What an authority issued is recorded, and that it was lifted: warnings in four colours, responses in four levels. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { getSignals, type NewSignal, type Signal } from '../../api/sensing';
import { t } from '../../i18n/text';
import { useAnswer } from '../../state/sensing/asking';
import { lastIssuer, lift, LEVELS, record, recorded, severityOf } from '../../state/sensing/signals';
import { GRADES, LOOK_KEYS } from '../../state/sensing/states';
import { fromField, toField } from '../../state/sensing/times';
import { announcement } from '../../state/session';
import { Grade } from './Symbol';
import { fullTime, HAZARDS, hazardTitle, zone } from './words';

const TYPES = { warning: 'signal.warning', response: 'signal.emergency' } as const;
const COLOURS = { red: 'colour.red', orange: 'colour.orange', yellow: 'colour.yellow', blue: 'colour.blue' } as const;

export function SignalForm({ onDone }: { onDone: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [type, setType] = useState<Signal['type']>('warning');
  const [hazard, setHazard] = useState('rainstorm');
  const [level, setLevel] = useState<Signal['level']>('blue');
  const [issued, setIssued] = useState(() => toField(Date.now(), zone()));
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  const title = usualTitle({ type, hazard, level });
  const turn = (to: Signal['type']): void => {
    setType(to);
    setLevel(LEVELS[to][LEVELS[type].indexOf(level)] ?? level);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(values.get(name) ?? '').trim();
    const [from, until] = [fromField(issued, zone()), fromField(text('expires'), zone())];
    if (from === null) return;
    const times = { issued_at: new Date(from).toISOString(), expires_at: until === null ? null : new Date(until).toISOString() };
    record({ type, hazard, level, title: text('title') || title, text: text('text') || null, issuer: text('issuer'), ...times }, (reason, made) => {
      setProblem(reason);
      if (made === null) return;
      announcement.value = t('signal.recorded', { title: made.title });
      onDone();
    });
  };
  return (
    <>
      <form class="step-form" onSubmit={submit}>
        <label class="wide-field">
          <span>{t('signal.type')}</span>
          <select ref={first} value={type} onChange={(event) => turn(event.currentTarget.value as Signal['type'])}>
            {Object.entries(TYPES).map(([each, key]) => (
              <option key={each} value={each}>
                {t(key)}
              </option>
            ))}
          </select>
        </label>
        <label class="wide-field">
          <span>{t('signal.hazard')}</span>
          <select value={hazard} onChange={(event) => setHazard(event.currentTarget.value)}>
            {Object.keys(HAZARDS).map((each) => (
              <option key={each} value={each}>
                {hazardTitle(each)}
              </option>
            ))}
          </select>
        </label>
        <label class="wide-field">
          <span>{t('signal.level')}</span>
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value as Signal['level'])}>
            {LEVELS[type].map((each) => (
              <option key={each} value={each}>
                {type === 'warning' ? t(LOOK_KEYS[severityOf(each)]) : GRADES[severityOf(each)]}
              </option>
            ))}
          </select>
        </label>
        <label class="wide-field">
          <span>{t('signal.title')}</span>
          <input type="text" name="title" maxLength={500} placeholder={title} />
        </label>
        <label class="wide-field">
          <span>{t('signal.issuer')}</span>
          <input type="text" name="issuer" maxLength={200} required defaultValue={lastIssuer()} />
        </label>
        <label class="wide-field">
          <span>{t('signal.issued_at', { zone: zone() })}</span>
          <input type="datetime-local" required value={issued} onChange={(event) => setIssued(event.currentTarget.value)} />
        </label>
        <label class="wide-field">
          <span>{t('signal.expires_at')}</span>
          <input type="datetime-local" name="expires" min={issued} />
        </label>
        <label class="wide-field">
          <span>{t('signal.text')}</span>
          <textarea name="text" rows={3} maxLength={20_000} />
        </label>
        <p class="quiet">{t('signal.replaces')}</p>
        {problem !== null && <Trouble reason={problem} />}
        <button type="submit" class="button is-main">
          {t('signal.save')}
        </button>
      </form>
      <InForce />
    </>
  );
}

/** What a signal is called where nobody calls it otherwise. */
function usualTitle({ type, hazard, level }: Pick<NewSignal, 'type' | 'hazard' | 'level'>): string {
  const severity = severityOf(level);
  if (type === 'warning') return t('signal.warning_title', { hazard: hazardTitle(hazard), colour: t(COLOURS[severity]) });
  return t('signal.response_title', { hazard: hazardTitle(hazard), level: GRADES[severity] });
}

/** The signals that stand now, each to be lifted. */
function InForce() {
  const [problem, setProblem] = useState<string | null>(null);
  const { value } = useAnswer(String(recorded.value), (root, signal) => getSignals(root, null, signal));
  const signals = value?.signals ?? [];
  if (signals.length === 0) return null;
  return (
    <>
      <h3 class="sensing-head">{t('signal.label')}</h3>
      <ul class="in-force">
        {signals.map((signal) => (
          <li key={signal.id}>
            <Grade severity={severityOf(signal.level)} />
            <span>
              <b>{signal.title}</b>
              <small>
                {signal.issuer} · {fullTime(Date.parse(signal.issued_at))}
              </small>
            </span>
            <button type="button" class="button" aria-label={t('signal.lift_one', { title: signal.title })} onClick={() => lift(signal.id, setProblem)}>
              {t('signal.lift')}
            </button>
          </li>
        ))}
      </ul>
      {problem !== null && <Trouble reason={problem} />}
    </>
  );
}

function Trouble({ reason }: { reason: string }) {
  return (
    <p class="notice is-trouble" role="alert">
      {t('hand.failed', { reason })}
    </p>
  );
}
