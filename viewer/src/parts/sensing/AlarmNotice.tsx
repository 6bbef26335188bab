/** Says on the map itself that a grave event has come. */

import { number, t } from '../../i18n/text';
import { seen, unseen } from '../../state/sensing/alarm';
import { openEvent } from '../../state/sensing/cards';
import { panelTab } from '../../state/session';
import { Grade } from './Symbol';

export function AlarmNotice() {
  const fresh = unseen.value;
  const first = fresh[0];
  if (!first) return null;
  const look = (): void => {
    seen();
    if (fresh.length === 1) openEvent(first.id);
    else panelTab.value = 'events';
  };
  return (
    <div class="notice is-alarm" role="alert">
      <Grade severity={first.properties.severity} />
      <span>{fresh.length === 1 ? t('events.new', { title: first.properties.title }) : t('events.new_many', { count: number(fresh.length) })}</span>
      <button type="button" class="text-button" onClick={look}>
        {t('events.look')}
      </button>
      <button type="button" class="text-button" onClick={() => seen()}>
        {t('error.dismiss')}
      </button>
    </div>
  );
}
