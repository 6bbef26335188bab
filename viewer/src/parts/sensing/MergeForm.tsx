/** An event that tells of the same as another becomes a part of it: which one, chosen from the nearest. */

import { useState } from 'preact/hooks';
import type { CityEvent, NewStep } from '../../api/sensing';
import { t } from '../../i18n/text';
import { events, mergeTargets } from '../../state/sensing/events';
import { GRADES } from '../../state/sensing/states';
import { STATES, timeText } from './words';

/** Events offered. */
const MOST = 50;

export function MergeForm({ event, onDone }: { event: CityEvent; onDone: (step: NewStep) => void }) {
  const found = mergeTargets(event, events.value.values()).slice(0, MOST);
  const [into, setInto] = useState(found[0]?.id);
  const [note, setNote] = useState('');
  if (into === undefined) return <p class="quiet">{t('event.no_other')}</p>;
  return (
    <form
      class="step-form"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        onDone({ did: 'merge', into, ...(note.trim() && { note: note.trim() }) });
      }}
    >
      <label class="wide-field">
        <span>{t('event.same_as')}</span>
        <select value={into} onChange={({ currentTarget }) => setInto(Number(currentTarget.value))}>
          {found.map(({ id, properties: { severity, title, began_at, state } }) => (
            <option key={id} value={id}>
              {GRADES[severity]} {title} · {timeText(Date.parse(began_at))} · {t(STATES[state])}
            </option>
          ))}
        </select>
      </label>
      <label class="wide-field">
        <span>{t('event.note_field')}</span>
        <textarea rows={2} maxLength={2000} value={note} onInput={({ currentTarget }) => setNote(currentTarget.value)} />
      </label>
      <p class="quiet">{t('event.merge_says')}</p>
      <button type="submit" class="button is-main">
        {t('event.merge')}
      </button>
    </form>
  );
}
