/** What counters on a link count in the hours of a traffic run, beside what the run computes for the city as it is. */

import { getTable } from '../../api/scenarios';
import { formatNumber, number, t } from '../../i18n/text';
import { run } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { countsOf, gradeOf, type Count } from './counts';
import { useValues } from './Probed';

export function LinkCounts({ uid }: { uid: string }) {
  const [root, job] = [city.value?.root ?? '', run.value];
  const { value } = useValues(`${job?.jobID} ${uid}`, async (signal) => (job?.twin.tables.includes('counts') ? countsOf(await getTable(root, job.jobID, 'counts', signal), uid) : []));
  if (!value) return null;
  return (
    <>
      {value.map((counts) => (
        <Counter key={counts[0]?.datastream ?? counts[0]?.counter} counts={counts} />
      ))}
    </>
  );
}

/** The hours of one counter. */
function Counter({ counts }: { counts: readonly Count[] }) {
  const [first] = counts;
  if (!first) return null;
  const fitted = counts.some(({ prior }) => typeof prior === 'number');
  const columns = ['link.hour', 'counts.counted', ...(fitted ? (['counts.before'] as const) : []), 'counts.computed', 'counts.geh'] as const;
  return (
    <section aria-label={t('counts.title', { name: first.counter })}>
      <h3 class="run-heading">{t('counts.title', { name: first.counter })}</h3>
      <table class="figures link-hours">
        <thead>
          <tr>
            {columns.map((key) => (
              <th key={key} scope="col">
                {t(key)}
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {counts.map(({ time, hour, counted, prior, computed, geh }) => (
            <tr key={time ?? hour}>
              <th scope="row">{hour}:00</th>
              <td>{number(counted, 0)}</td>
              {fitted && <td>{typeof prior === 'number' ? number(prior, 0) : '—'}</td>}
              <td>{number(computed, 0)}</td>
              <td>{formatNumber(geh, view.value.language, 1)}</td>
              <td>{t(gradeOf(geh))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">
        {t(first.link_back === null ? 'counts.one_way' : 'counts.both_ways')} 
        {first.datastream === null ? t('counts.of_file') : t('counts.note', { days: number(Math.max(...counts.map(({ days }) => days)), 0) })}
      </p>
    </section>
  );
}
