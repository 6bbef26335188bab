/** The run that is open: how it goes, why it failed, or what it gave. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../../api/scenarios';
import { number, pick, t } from '../../i18n/text';
import { timeLeft, withMark, type Mark } from '../../state/scenarios/frames';
import { closeRun } from '../../state/scenarios/play';
import { dismiss, failure, isOver, run } from '../../state/scenarios/runs';
import { announcement } from '../../state/session';
import { Icon } from '../Icon';
import { fullTime } from '../sensing/words';
import { Beside } from './Beside';
import { Indicators } from './Indicators';
import { ResultLayers } from './ResultLayers';
import { runName, withTitle } from './runs';
import { STATE_WORDS } from './Scenarios';
import { Reports, Tables } from './Tables';

export function RunView({ onAgain }: { onAgain: (job: Job) => void }) {
  const job = run.value;
  return (
    <div class="run">
      <button type="button" class="text-button back" onClick={closeRun}>
        <Icon name="chevron" /> {t('scenario.all')}
      </button>
      {job === null ? <p class="quiet">{failure.value === null ? t('scenario.reading') : t('run.gone', { reason: failure.value })}</p> : <Opened job={job} onAgain={onAgain} />}
    </div>
  );
}

function Opened({ job, onAgain }: { job: Job; onAgain: (job: Job) => void }) {
  const words = t(STATE_WORDS[job.status]);
  useEffect(() => {
    announcement.value = words;
  }, [words]);
  return (
    <>
      <div class="run-head">
        <h3>{runName(job)}</h3>
        <p class="quiet">{fullTime(Date.parse(job.created))}</p>
      </div>
      {failure.value !== null && (
        <p class="fault" role="alert">
          {t('scenario.failed_to_read', { reason: failure.value })}
        </p>
      )}
      {!isOver(job) && <Progress job={job} />}
      {job.status === 'failed' && <Failed job={job} />}
      {job.status === 'dismissed' && <p class="quiet">{words}</p>}
      {job.status === 'successful' && (
        <>
          <ResultLayers />
          <Beside job={job} />
          <Indicators job={job} />
          <Tables job={job} />
          <Reports job={job} />
        </>
      )}
      {isOver(job) && (
        <div class="run-actions">
          <button type="button" class="button" onClick={() => onAgain(job)}>
            {t('run.again')}
          </button>
          <Remove job={job} />
        </div>
      )}
    </>
  );
}

function Progress({ job }: { job: Job }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  const marks = useRef<readonly Mark[]>([]);
  if (job.status === 'running') marks.current = withMark(marks.current, { at: Date.now(), progress: job.progress });
  const left = timeLeft(marks.current, now);
  const { message } = job.twin;
  return (
    <div class="progress">
      <progress max={100} aria-label={t('run.progress')} {...(job.status === 'running' ? { value: job.progress } : {})} />
      <p>
        <b>{job.status === 'running' ? `${number(job.progress)} %` : t('run.accepted')}</b>
        {left !== null && <span>{t('run.left', { time: duration(left) })}</span>}
      </p>
      {message && <p class="quiet">{pick(message)}</p>}
      <button type="button" class="button" onClick={() => dismiss(job)}>
        {t('run.dismiss')}
      </button>
    </div>
  );
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? t('age.s', { count: seconds }) : t('age.min', { count: Math.round(seconds / 60) });
}

function Failed({ job }: { job: Job }) {
  return (
    <div class="notice is-tall" role="alert">
      <b>{t('run.failed')}</b>
      {job.twin.message && <p>{withTitle(job, pick(job.twin.message))}</p>}
    </div>
  );
}

/** Asks once more before it takes away what cannot be had back. */
function Remove({ job }: { job: Job }) {
  const [sure, setSure] = useState(false);
  return (
    <button type="button" class={`button${sure ? ' is-danger' : ''}`} onBlur={() => setSure(false)} onClick={() => (sure ? dismiss(job) : setSure(true))}>
      {t(sure ? 'run.remove_sure' : 'run.remove')}
    </button>
  );
}
