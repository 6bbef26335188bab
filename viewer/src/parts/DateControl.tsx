/** The day the city is shown at. */

import { t } from '../i18n/text';
import { isDate } from '../state/hash';
import { field, update } from '../state/store';
import { Icon } from './Icon';

const date = field('date');

export function DateControl() {
  return (
    <div class="date">
      <label>
        <Icon name="clock" />
        <span>{t('date.label')}</span>
        <input type="date" value={date.value ?? ''} onChange={(event) => choose(event.currentTarget.value)} />
      </label>
      <button type="button" class="text-button" disabled={date.value === null} onClick={() => update({ date: null })}>
        {t('date.now')}
      </button>
    </div>
  );
}

/** Says on the map itself that another day than today is shown. */
export function DateNotice() {
  if (date.value === null) return null;
  return (
    <div class="notice" role="status">
      <Icon name="clock" />
      <span>{t('date.shown', { date: date.value })}</span>
      <button type="button" class="text-button" onClick={() => update({ date: null })}>
        {t('date.back')}
      </button>
    </div>
  );
}

function choose(text: string): void {
  update({ date: isDate(text) ? text : null });
}
