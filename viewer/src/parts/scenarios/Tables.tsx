/** The tables of a run and its files: opened over the map, taken as a sheet, printed as a report. */

import { signal } from '@preact/signals';
import { fileAddress, tableAddress, type Job } from '../../api/scenarios';
import { t } from '../../i18n/text';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { FileLink } from './FileLink';
import { tableTitle } from './words';

/** The table that is open, of the run that is. */
export const openedTable = signal<string | null>(null);

export function Tables({ job }: { job: Job }) {
  const root = city.value?.root;
  if (job.twin.tables.length === 0 || root === undefined) return null;
  return (
    <section aria-label={t('run.tables')}>
      <h4 class="run-heading">{t('run.tables')}</h4>
      <ul class="run-tables">
        {job.twin.tables.map((name) => (
          <li key={name}>
            <button type="button" class="text-button" aria-pressed={openedTable.value === name} onClick={() => (openedTable.value = openedTable.peek() === name ? null : name)}>
              <Icon name="table" /> {tableTitle(name)}
            </button>
            <FileLink class="text-button" keepAs={`${name}.xlsx`} address={tableAddress(root, job.jobID, name, 'xlsx')} label={t('run.sheet', { title: tableTitle(name) })}>
              XLSX
            </FileLink>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The pages among the files: a report in the language of the view before others. */
export function Reports({ job }: { job: Job }) {
  const root = city.value?.root;
  const pages = job.twin.files.filter((name) => name.endsWith('.html'));
  const own = pages.filter((name) => name.includes(`-${view.value.language}.`));
  const offered = own.length > 0 ? own : pages;
  if (offered.length === 0 || root === undefined) return null;
  return (
    <p class="run-reports">
      {offered.map((name) => (
        <FileLink key={name} class="button is-main" keepAs={null} address={fileAddress(root, job.jobID, name)}>
          <Icon name="download" /> {t('run.report')}
        </FileLink>
      ))}
    </p>
  );
}
