/** Another run beside the open one: which, and whether by a line over the map, in a pane of its own or as a difference. */

import type { Job } from '../../api/scenarios';
import { pick, t } from '../../i18n/text';
import { askedOf, canDiffer, changeScenario, comparing, jobs, other, raster, setBeside, shift, tellsBefore, times } from '../../state/scenarios/runs';
import { COMPARISONS, type Comparison } from '../../state/scenarios/view';
import { fullTime } from '../sensing/words';
import { LinkDifferences } from './LinkDifferences';
import { view } from '../../state/store';
import { differing, inputText, runChanges, runTitle } from './runs';

const WAYS = { swipe: 'compare.swipe', side: 'compare.side', difference: 'compare.difference' } as const satisfies Readonly<Record<Comparison, string>>;

export function Beside({ job }: { job: Job }) {
  const { other: chosen } = view.value.scenario;
  const offers = jobs.value.filter((each) => each.status === 'successful' && each.processID === job.processID && each.jobID !== job.jobID);
  const itself = tellsBefore(job);
  if (offers.length === 0 && chosen === null && !itself) return null;
  return (
    <section class="beside" aria-label={t('compare.title')}>
      <h4 class="run-heading">{t('compare.title')}</h4>
      <select aria-label={t('compare.with')} value={chosen ?? ''} onChange={(event) => setBeside(event.currentTarget.value || null)}>
        <option value="">{t('compare.none')}</option>
        {itself && <option value={job.jobID}>{t('compare.before')}</option>}
        {offers.map((each) => (
          <option key={each.jobID} value={each.jobID}>
            {[runTitle(each), ...runChanges(each)].join(' · ')}
          </option>
        ))}
      </select>
      {comparing.value !== null && (
        <div class="chips" role="group" aria-label={t('compare.way')}>
          {COMPARISONS.filter((way) => way !== 'difference' || canDiffer.value).map((way) => (
            <button key={way} type="button" class="result-chip" aria-pressed={comparing.value === way} onClick={() => changeScenario({ comparison: way })}>
              {t(WAYS[way])}
            </button>
          ))}
        </div>
      )}
      {shift.value !== 0 && <p class="quiet">{t('compare.shifted', { first: fullTime(times.value[0] ?? 0), second: fullTime((times.value[0] ?? 0) + shift.value) })}</p>}
      {comparing.value === 'difference' && raster.value === null && <LinkDifferences />}
      {chosen !== null && chosen !== job.jobID && other.value && <Differing first={job} second={other.value} />}
    </section>
  );
}

/** What was asked for differently: without it a difference explains nothing. */
function Differing({ first, second }: { first: Job; second: Job }) {
  const fields = differing(first, second);
  if (fields.length === 0) return <p class="quiet">{t('compare.same')}</p>;
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">{t('compare.inputs')}</th>
          <th scope="col">A</th>
          <th scope="col">B</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.name}>
            <th scope="row">{pick(field.title)}</th>
            <td>{inputText(field, askedOf(first)[field.name])}</td>
            <td>{inputText(field, askedOf(second)[field.name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
