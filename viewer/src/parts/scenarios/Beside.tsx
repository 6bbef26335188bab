/** Another run beside the open one: which, and whether by a line over the map or as a difference. */

import type { Job } from '../../api/scenarios';
import { pick, t } from '../../i18n/text';
import { changeScenario, jobs, other, processes } from '../../state/scenarios/runs';
import type { Comparison } from '../../state/scenarios/view';
import { view } from '../../state/store';
import { runTitle } from './Scenarios';

const WAYS = { swipe: 'compare.swipe', difference: 'compare.difference' } as const satisfies Readonly<Record<Comparison, string>>;

export function Beside({ job }: { job: Job }) {
  const { other: chosen, comparison } = view.value.scenario;
  const offers = jobs.value.filter((each) => each.status === 'successful' && each.processID === job.processID && each.jobID !== job.jobID);
  if (offers.length === 0 && chosen === null) return null;
  return (
    <section class="beside" aria-label={t('compare.title')}>
      <h4 class="run-heading">{t('compare.title')}</h4>
      <select aria-label={t('compare.with')} value={chosen ?? ''} onChange={(event) => changeScenario({ other: event.currentTarget.value || null })}>
        <option value="">{t('compare.none')}</option>
        {offers.map((each) => (
          <option key={each.jobID} value={each.jobID}>
            {runTitle(each)}
          </option>
        ))}
      </select>
      {chosen !== null && (
        <div class="chips" role="group" aria-label={t('compare.way')}>
          {(Object.keys(WAYS) as Comparison[]).map((way) => (
            <button key={way} type="button" class="result-chip" aria-pressed={comparison === way} onClick={() => changeScenario({ comparison: way })}>
              {t(WAYS[way])}
            </button>
          ))}
        </div>
      )}
      {chosen !== null && other.value && <Differing first={job} second={other.value} />}
    </section>
  );
}

/** What was asked for differently: without it a difference explains nothing. */
function Differing({ first, second }: { first: Job; second: Job }) {
  const names = [...new Set([...Object.keys(first.twin.inputs), ...Object.keys(second.twin.inputs)])];
  const differing = names.filter((name) => JSON.stringify(first.twin.inputs[name]) !== JSON.stringify(second.twin.inputs[name]));
  if (differing.length === 0) return <p class="quiet">{t('compare.same')}</p>;
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
        {differing.map((name) => (
          <tr key={name}>
            <th scope="row">{inputTitle(first.processID, name)}</th>
            <td>{brief(first.twin.inputs[name])}</td>
            <td>{brief(second.twin.inputs[name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inputTitle(process: string, name: string): string {
  const title = processes.value?.find((each) => each.id === process)?.inputs[name]?.schema['x-title'];
  return title ? pick(title) : name;
}

function brief(value: unknown): string {
  if (Array.isArray(value)) return String(value.length);
  return value === null || value === undefined ? '—' : typeof value === 'object' ? '…' : String(value);
}
