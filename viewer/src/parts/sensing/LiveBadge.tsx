/** Says whether what is shown is live, and how old the newest reading is. */

import { t } from '../../i18n/text';
import { moment } from '../../state/sensing/clock';
import { connection, hasSensors, newest } from '../../state/sensing/live';
import { panelSize, panelTab } from '../../state/session';
import { ageText, timeText } from './words';

const WORDS = { live: 'live.live', polling: 'live.polling', lost: 'live.lost' } as const;

export function LiveBadge() {
  const at = moment.value;
  const state = connection.value;
  const latest = newest.value;
  if (at !== null) {
    return (
      <span class="live-badge is-past">
        <i aria-hidden="true" /> {t('live.past', { time: timeText(at) })}
      </span>
    );
  }
  return (
    <span class={`live-badge is-${state}`}>
      <i aria-hidden="true" /> <b>{t(WORDS[state])}</b> <span>{latest === null ? t('live.none') : t('live.newest', { age: ageText(latest) })}</span>
    </span>
  );
}

/** The same at the foot of the map, where it leads to the sensors. */
export function LiveButton() {
  if (!hasSensors.value) return null;
  return (
    <button type="button" class="live-button" onClick={openSensors}>
      <LiveBadge />
    </button>
  );
}

function openSensors(): void {
  panelTab.value = 'sensors';
  if (panelSize.peek() === 'small') panelSize.value = 'middle';
}
