/** A link in two runs of traffic, hour by hour: a line of its volume each, and both states under each other. */

import type { ResultLayer } from '../../api/scenarios';
import { t } from '../../i18n/text';
import { momentOf } from '../../state/scenarios/moments';
import { other, run, shift } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { LinkCounts } from './LinkCounts';
import { LineKey, STATE_COLUMNS, StateCells, VolumeChart } from './LinkHours';
import { hoursOf, statesOf } from './link_states';
import { useValues } from './Probed';
import { TripUsers } from './TripUsers';

const LETTERS = ['A', 'B'] as const;

/** layers: the traffic of the first and the second run. */
export function LinkBeside({ uid, layers }: { uid: string; layers: readonly [ResultLayer, ResultLayer] }) {
  const root = city.value?.root ?? '';
  const { value } = useValues(`${layers.map(({ id }) => id).join()} ${uid}`, async (signal) => {
    const [first, second] = await Promise.all([statesOf(root, layers[0], uid, signal), statesOf(root, layers[1], uid, signal)]);
    return hoursOf(first, second, shift.peek());
  });
  const chosen = view.value.selected?.layer ?? '';
  const job = other.value?.twin.layers.some(({ id }) => id === chosen) ? other.value : run.value;
  if (!value || value.length === 0) return null;
  return (
    <section aria-label={t('link.title')}>
      <h3 class="run-heading">{t('link.title')}</h3>
      <VolumeChart hours={value} titles={LETTERS} />
      <table class="figures link-hours">
        <thead>
          <tr>
            {(['link.hour', 'compare.run', ...STATE_COLUMNS] as const).map((key) => (
              <th key={key} scope="col">
                {t(key)}
              </th>
            ))}
          </tr>
        </thead>
        {value.map(({ time, hour, states }) => (
          <tbody key={time}>
            {states.map((state, index) => (
              <tr key={LETTERS[index]}>
                {index === 0 && (
                  <th scope="rowgroup" rowSpan={2}>
                    {hour}:00
                  </th>
                )}
                <th scope="row">
                  <LineKey line={index} /> {LETTERS[index]}
                </th>
                <StateCells state={state} />
              </tr>
            ))}
          </tbody>
        ))}
      </table>
      <p class="quiet">{t('link.units')}</p>
      {job === run.value && <LinkCounts uid={uid} />}
      <TripUsers key={`${job?.jobID} ${uid}`} uid={uid} job={job} at={momentOf(chosen)} />
    </section>
  );
}
