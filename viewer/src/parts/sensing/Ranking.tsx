/** Stations in order: the most rain in the last hours, the highest level against its reference. */

import { useState } from 'preact/hooks';
import { getRanking, type RankedStation } from '../../api/sensing';
import { number, t } from '../../i18n/text';
import { useAnswer } from '../../state/sensing/asking';
import { openSensor } from '../../state/sensing/cards';
import { moment } from '../../state/sensing/clock';
import { sensors } from '../../state/sensing/live';
import { map } from '../../state/session';
import { levelName, measure } from './words';

const HOURS = [1, 3, 6, 12, 24] as const;
const RANKED = [
  ['rain', 'ranking.rain'],
  ['water_level', 'ranking.level'],
  ['tide', 'ranking.tide'],
] as const;

export function Ranking({ kinds }: { kinds: readonly string[] }) {
  const [chosen, choose] = useState<string>('rain');
  const [hours, setHours] = useState<number>(24);
  const offered = RANKED.filter(([kind]) => kinds.includes(kind));
  const kind = offered.find(([each]) => each === chosen)?.[0] ?? offered[0]?.[0];
  if (kind === undefined) return null;
  return (
    <section class="ranking" aria-labelledby="ranking-title">
      <div class="ranking-head">
        <h3 id="ranking-title" class="sensing-head">
          {t('ranking.title')}
        </h3>
        <div class="choices" role="group" aria-label={t('ranking.what')}>
          {offered.map(([each, key]) => (
            <button key={each} type="button" aria-pressed={each === kind} onClick={() => choose(each)}>
              {t(key)}
            </button>
          ))}
        </div>
      </div>
      {kind === 'rain' && (
        <div class="choices is-wide" role="group" aria-label={t('ranking.hours')}>
          {HOURS.map((each) => (
            <button key={each} type="button" aria-pressed={each === hours} onClick={() => setHours(each)}>
              {t('ranking.hour', { count: each })}
            </button>
          ))}
        </div>
      )}
      <Stations key={kind} kind={kind} hours={kind === 'rain' ? hours : 1} />
    </section>
  );
}

function Stations({ kind, hours }: { kind: string; hours: number }) {
  const at = moment.value;
  const { value: stations, failure } = useAnswer(`${kind} ${hours} ${at}`, (root, signal) => getRanking(root, kind, hours, at, signal));
  if (!stations) return <p class="quiet">{failure === null ? t('objects.loading') : t('error.unknown', { reason: failure })}</p>;
  if (stations.length === 0) return <p class="quiet">{t('ranking.none')}</p>;
  const most = Math.max(...stations.map((station) => station.value), 1e-9);
  return (
    <ol class="stations">
      {stations.map((station) => (
        <li key={station.datastream}>
          <button type="button" class="station" onClick={(event) => open(station.datastream, event.currentTarget)}>
            <span class="station-name">{station.title}</span>
            <b>{measure(station.value, station.unit)}</b>
            <small class={(station.above ?? -1) >= 0 ? 'is-above' : ''}>{station.level === undefined ? <i style={{ width: `${(100 * station.value) / most}%` }} /> : against(station)}</small>
          </button>
        </li>
      ))}
    </ol>
  );
}

function against({ level, above, change, unit }: RankedStation): string {
  const parts: string[] = [];
  if (level && above !== null && above !== undefined) {
    const words = { level: levelName(level), height: measure(Math.abs(above), unit) };
    parts.push(above >= 0 ? t('ranking.above', words) : t('ranking.below', words));
  }
  if (change !== null && change !== undefined) parts.push(t('ranking.change', { change: `${change > 0 ? '+' : change < 0 ? '−' : '±'}${number(Math.abs(change), 2)} ${unit ?? ''}`.trim() }));
  return parts.join(' · ');
}

function open(id: number, from: Element): void {
  openSensor(id, false, from);
  const place = sensors.peek().get(id)?.place;
  if (place) map.peek()?.showBox([place[0], place[1], place[0], place[1]]);
}
