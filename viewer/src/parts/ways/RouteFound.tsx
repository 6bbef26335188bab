/** The quickest way: how long it takes, how much longer than on empty roads, and its streets. */

import { formatNumber, t } from '../../i18n/text';
import { view } from '../../state/store';
import { route, usualRoute } from '../../state/ways/ways';

/** Streets that are listed; a way through a city has more. */
const MOST_STREETS = 12;
/** Seconds that are no difference. */
const SAME_S = 5;

export function RouteFound() {
  const found = route.value;
  if (!found) return null;
  const { seconds, metres, streets } = found.properties;
  const { language } = view.value;
  const usual = usualRoute.value?.properties;
  const named = streets.flatMap(({ name, name_en, metres: length }) => {
    const title = language === 'zh' ? (name ?? name_en) : (name_en ?? name);
    return title === null ? [] : [{ title, length }];
  });
  return (
    <div aria-live="polite">
      <p class="way-told">
        <b>{timeText(seconds)}</b>
        <span>{kilometres(metres)}</span>
      </p>
      {usual && <p class="quiet">{seconds - usual.seconds > SAME_S ? t('ways.longer', { time: timeText(seconds - usual.seconds), usual: timeText(usual.seconds), length: kilometres(usual.metres) }) : t('ways.no_longer')}</p>}
      <ol class="way-streets">
        {named.slice(0, MOST_STREETS).map(({ title, length }, index) => (
          <li key={index}>
            <span>{title}</span> <small>{kilometres(length)}</small>
          </li>
        ))}
      </ol>
      {named.length > MOST_STREETS && <p class="quiet">{t('ways.more_streets', { count: named.length - MOST_STREETS })}</p>}
    </div>
  );
}

export function timeText(seconds: number): string {
  const { language } = view.value;
  return seconds < 90 ? t('ways.seconds', { count: formatNumber(seconds, language, 0) }) : t('ways.min', { minutes: formatNumber(seconds / 60, language, seconds < 600 ? 1 : 0) });
}

export function kilometres(metres: number): string {
  const { language } = view.value;
  return metres < 950 ? `${formatNumber(Math.round(metres / 10) * 10, language, 0)} m` : `${formatNumber(metres / 1000, language, 1)} km`;
}
