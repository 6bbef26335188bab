/** A link of a traffic run through its hours: volume as it is and as it would be, speed, load and delay. */

import { number, t } from '../../i18n/text';
import { moment } from '../../state/scenarios/moments';
import { run, traffics } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { LinkBeside } from './LinkBeside';
import { LinkCounts } from './LinkCounts';
import { LineKey, STATE_COLUMNS, StateCells, VolumeChart } from './LinkHours';
import { hoursOf, statesOf } from './link_states';
import { useValues } from './Probed';
import { TripUsers } from './TripUsers';

/** Which line of the chart a column is. */
const KEYS: Readonly<Record<string, number>> = { 'link.volume': 0, 'link.usual': 1 };

export function LinkProfile({ uid }: { uid: string }) {
  const both = traffics.value;
  return both ? <LinkBeside uid={uid} layers={both} /> : <LinkAlone uid={uid} />;
}

function LinkAlone({ uid }: { uid: string }) {
  const root = city.value?.root ?? '';
  const layers = run.value?.twin.layers ?? [];
  const [traffic, usual] = ['traffic', 'usual'].map((role) => layers.find((layer) => layer.role === role));
  const { value } = useValues(`${traffic?.id} ${usual?.id} ${uid}`, async (signal) => {
    const [now = [], before = []] = await Promise.all([traffic, usual].map((layer) => (layer === undefined ? [] : statesOf(root, layer, uid, signal))));
    return hoursOf(now, usual === undefined ? now : before);
  });
  if (!value || value.length === 0) return null;
  return (
    <section aria-label={t('link.title')}>
      <h3 class="run-heading">{t('link.title')}</h3>
      <VolumeChart hours={value} titles={[t('link.volume'), t('link.usual')]} />
      <table class="figures link-hours">
        <thead>
          <tr>
            {(['link.hour', 'link.usual', ...STATE_COLUMNS] as const).map((key) => (
              <th key={key} scope="col">
                {value.length > 1 && KEYS[key] !== undefined && <LineKey line={KEYS[key]} />} {t(key)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {value.map(({ time, hour, states: [now, usually] }) => (
            <tr key={time} aria-current={time !== null && moment.value !== null && time === Date.parse(moment.value)}>
              <th scope="row">{hour}:00</th>
              <td>{usually ? number(usually.volume, 0) : 0}</td>
              <StateCells state={now} />
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">{t('link.units')}</p>
      <LinkCounts uid={uid} />
      <TripUsers key={uid} uid={uid} job={run.value} at={moment.value} />
    </section>
  );
}
