/** The signals in force: what authorities issued and since when, and apart from it what measurements reached. */

import { useState } from 'preact/hooks';
import { getSignals, type Reached, type Signal } from '../../api/sensing';
import { number, t } from '../../i18n/text';
import { useAnswer } from '../../state/sensing/asking';
import { openEvent } from '../../state/sensing/cards';
import { moment } from '../../state/sensing/clock';
import { events } from '../../state/sensing/events';
import { recorded, severityOf } from '../../state/sensing/signals';
import { GRADES, LOOK_KEYS } from '../../state/sensing/states';
import { Icon } from '../Icon';
import { hazardTitle, timeText } from './words';

export function SignalBanner() {
  const [open, setOpen] = useState(false);
  const at = moment.value;
  // Asked anew with each event, as what measurements reached may have changed, and with each signal recorded here.
  const { value } = useAnswer(`${at} ${events.value.size} ${recorded.value}`, (root, signal) => getSignals(root, at, signal));
  const { signals = [], reached = [] } = value ?? {};
  const rows = [...signals.map((each) => <Issued key={`s${each.id}`} signal={each} />), ...reached.map((each) => <Measured key={each.hazard} reached={each} />)];
  if (rows.length === 0) return null;
  return (
    <section class="signals" aria-label={t('signal.label')}>
      <ul>{open ? rows : rows.slice(0, 2)}</ul>
      {rows.length > 2 && (
        <button type="button" class="text-button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t('signal.all')} ({rows.length}) <Icon name="chevron" />
        </button>
      )}
    </section>
  );
}

function Issued({ signal }: { signal: Signal }) {
  const severity = severityOf(signal.level);
  const issued = timeText(Date.parse(signal.issued_at));
  return (
    <li class={`signal is-${severity}`} title={signal.text ?? undefined}>
      <span class="signal-mark">{signal.type === 'response' ? t('signal.response', { level: GRADES[severity] }) : GRADES[severity]}</span>
      <span class="signal-told">
        <b>{signal.title}</b>
        <small>
          {t('signal.issued', { issuer: signal.issuer })} · {t('signal.since', { time: issued })}
        </small>
      </span>
    </li>
  );
}

/** Never called a signal: no one has issued it. */
function Measured({ reached }: { reached: Reached }) {
  const words = { hazard: hazardTitle(reached.hazard), mark: t(LOOK_KEYS[reached.severity]) };
  const worst = reached.events.find((id) => events.value.get(id)?.properties.severity === reached.severity) ?? reached.events[0];
  return (
    <li class={`signal is-measured is-${reached.severity}`}>
      <span class="signal-mark">{GRADES[reached.severity]}</span>
      <button type="button" class="signal-told" onClick={() => worst !== undefined && openEvent(worst)}>
        <b>
          {t('signal.reached')} · {t('signal.reached_mark', words)}
        </b>
        <small>
          {t('signal.stations', { count: number(reached.stations) })} · {t('signal.reached_since', { time: timeText(Date.parse(reached.since)) })}
        </small>
      </button>
    </li>
  );
}
