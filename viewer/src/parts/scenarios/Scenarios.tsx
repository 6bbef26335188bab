/** The panel's scenarios: what can be run and what was run; the form of one; the run that is open. */

import { useEffect } from 'preact/hooks';
import { number, pick, t } from '../../i18n/text';
import { asking, wished } from '../../state/scenarios/asking';
import { askedOf, failure, isOver, jobs, offered, openRun, processes, refreshJobs } from '../../state/scenarios/runs';
import type { Job, JobState, Process } from '../../api/scenarios';
import { askToken, token } from '../../state/token';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { ProcessForm } from './ProcessForm';
import { runChanges, runName, runTime } from './runs';
import { RunView } from './RunView';

/** How often the list is asked for while a run is under way. */
const ASKED_EVERY_MS = 5000;

export function Scenarios() {
  useWish();
  if (view.value.scenario.run !== null) return <RunView onAgain={again} />;
  if (asking.value) return <ProcessForm key={asking.value.process.id} {...asking.value} onLeave={() => (asking.value = null)} />;
  return (
    <div class="scenarios">
      {failure.value !== null && (
        <p class="quiet" role="alert">
          {t('scenario.failed_to_read', { reason: failure.value })}
        </p>
      )}
      <h3 class="scenario-heading">{t('scenario.ask')}</h3>
      {offered.value === null && failure.value === null && <p class="quiet">{t('scenario.reading')}</p>}
      <ul class="process-list">
        {offered.value?.map((process) => (
          <li key={process.id}>
            {process.twin.missing ? (
              <div class="process is-missing">
                <ProcessWords process={process} />
              </div>
            ) : (
              <button type="button" class="process" onClick={() => (asking.value = { process, inputs: {} })}>
                <ProcessWords process={process} />
                <Icon name="chevron" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <Runs />
    </div>
  );
}

/** Opens the form that was wished for elsewhere, unless the scenario cannot be run. */
function useWish(): void {
  const [wanted, known] = [wished.value, processes.value];
  useEffect(() => {
    if (wanted === null || known === null) return;
    const process = known.find(({ id, twin }) => id === wanted.process && !twin.missing);
    wished.value = null;
    if (process) asking.value = { process, inputs: wanted.inputs };
  }, [wanted, known]);
}

function ProcessWords({ process: { id, twin } }: { process: Process }) {
  return (
    <>
      <ProcessMark id={id} />
      <span>
        <b>{pick(twin.title)}</b>
        <small>{pick(twin.description)}</small>
        {twin.missing && (
          <small class="process-missing">
            {t('scenario.missing')} {pick(twin.missing)}
          </small>
        )}
      </span>
    </>
  );
}

function Runs() {
  const waiting = jobs.value.some((job) => !isOver(job));
  useEffect(() => {
    if (!waiting) return;
    const timer = window.setInterval(refreshJobs, ASKED_EVERY_MS);
    return () => window.clearInterval(timer);
  }, [waiting]);
  const known = jobs.value.filter((job) => offered.value?.some((process) => process.id === job.processID));
  return (
    <>
      <div class="runs-head">
        <h3 class="scenario-heading">{t('scenario.runs')}</h3>
        <button type="button" class="text-button" onClick={refreshJobs}>
          {t('scenario.refresh')}
        </button>
      </div>
      {known.length === 0 && offered.value !== null && (
        <p class="quiet">
          {t('scenario.no_runs')}{' '}
          {token.value === null && (
            <button type="button" class="text-button" onClick={() => askToken(refreshJobs)}>
              {t('scenario.give_token')}
            </button>
          )}
        </p>
      )}
      <ul>
        {known.map((job) => (
          <li key={job.jobID}>
            <button type="button" class="object-row run-row" onClick={() => openRun(job.jobID)}>
              <span>
                {runName(job)}
                <small>{[runTime(job), ...runChanges(job)].join(' · ')}</small>
              </span>
              <RunState job={job} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

export const STATE_WORDS = {
  accepted: 'run.accepted',
  running: 'run.running',
  successful: 'run.successful',
  failed: 'run.failed',
  dismissed: 'run.dismissed',
} as const satisfies Readonly<Record<JobState, string>>;

function RunState({ job }: { job: Job }) {
  return (
    <small class={`run-state is-${job.status}`}>
      {t(STATE_WORDS[job.status])}
      {job.status === 'running' && ` ${number(job.progress)} %`}
    </small>
  );
}

function again(job: Job): void {
  const process = processes.peek()?.find((each) => each.id === job.processID);
  if (process) asking.value = { process, inputs: askedOf(job) };
  openRun(null);
}

function ProcessMark({ id }: { id: string }) {
  const water = id === 'flood';
  return (
    <svg class={`process-mark${water ? ' is-water' : ''}`} viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <rect width="40" height="40" rx="10" />
      {water ? (
        <path d="M20 8c4.5 5.5 7 8.8 7 12a7 7 0 0 1-14 0c0-3.2 2.5-6.5 7-12zM8 31c2 0 2 1.5 4 1.5S14 31 16 31s2 1.5 4 1.5 2-1.5 4-1.5 2 1.5 4 1.5 2-1.5 4-1.5" />
      ) : (
        <path d="M14 32 17 8M26 32 23 8M20 10v4M20 18v4M20 26v4" />
      )}
    </svg>
  );
}
