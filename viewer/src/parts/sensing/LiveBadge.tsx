/** Says whether what is shown is live, and how old the newest reading is. */

import { t } from '../../i18n/text';
import { moment } from '../../state/sensing/clock';
import { connection, hasSensors, newest, now } from '../../state/sensing/live';
import { panelSize, panelTab } from '../../state/session';
import { ageText, timeText } from './words';

const WORDS = { live: 'live.live', polling: 'live.polling', lost: 'live.lost' } as const;
/** Milliseconds after the newest reading; the slowest sensors that are usual report each hour. */
const QUIET_AFTER = 2 * 3_600_000;

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
  // Connected to a city that tells nothing is not live.
  const isQuiet = state !== 'lost' && latest !== null && now.value - latest > QUIET_AFTER;
  return (
    <span class={`live-badge is-${isQuiet ? 'quiet' : state}`}>
      <i aria-hidden="true" /> <b>{t(isQuiet ? 'live.quiet' : WORDS[state])}</b> <span>{latest === null ? t('live.none') : t('live.newest', { age: ageText(latest) })}</span>
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
