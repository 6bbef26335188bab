/** A table of a run at the foot of the map; a row that names a place leads there. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from '../../api/client';
import { getTable, tableAddress, type Job, type ResultTable as Table } from '../../api/scenarios';
import { formatNumber, number, t } from '../../i18n/text';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { Linked } from '../Linked';
import { lastBefore } from '../../state/sensing/past';
import { instant } from '../../state/scenarios/play';
import { fullTime } from '../sensing/words';
import { FileLink } from './FileLink';
import { goToRow, leads } from './places';
import { openedTable } from './Tables';
import { columnTitle, tableTitle, WORD_COLUMNS, wordTitle } from './words';

/** Rows that are shown; the file has all. */
const MOST_ROWS = 500;

export function ResultTable({ job, name }: { job: Job; name: string }) {
  const root = city.value?.root ?? '';
  const [table, setTable] = useState<Table | null>(null);
  const [atClock, setAtClock] = useState(true);
  const [only, setOnly] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const abort = new AbortController();
    getTable(root, job.jobID, name, abort.signal).then(setTable, (error: unknown) => {
      if (!isAbort(error)) setFailure(error instanceof Error ? error.message : String(error));
    });
    return () => abort.abort();
  }, [root]);
  useEffect(() => {
    const dock = element.current;
    if (!dock) return;
    const { style } = document.documentElement;
    style.setProperty('--dock', `${dock.offsetHeight}px`);
    return () => style.removeProperty('--dock');
  }, []);
  const shown = table && narrowed(atClock ? momentOf(table, instant.value) : table, only);
  const close = (): void => void (openedTable.value = null);
  return (
    <section ref={element} class="dock result-table" aria-label={tableTitle(name)} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="dock-head">
        <h2>{tableTitle(name)}</h2>
        <p class="dock-count" role="status">
          {shown === null ? (failure ?? t('scenario.reading')) : t('run.rows', { count: number(shown.rows.length) })}
        </p>
        <div class="dock-tools">
          {table && <Narrowing table={table} only={only} onOnly={setOnly} />}
          {table && isTimed(table) && (
            <label class="choice">
              <input type="checkbox" class="check" checked={atClock} onChange={(event) => setAtClock(event.currentTarget.checked)} /> {t('run.at_clock')}
            </label>
          )}
          {(['csv', 'xlsx'] as const).map((form) => (
            <FileLink key={form} class="dock-tool" keepAs={`${name}.${form}`} address={tableAddress(root, job.jobID, name, form)}>
              <Icon name="download" /> <span>{form.toUpperCase()}</span>
            </FileLink>
          ))}
        </div>
        <button type="button" class="bare" aria-label={t('table.close')} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {shown && <Rows table={shown} />}
    </section>
  );
}

interface NarrowingProps {
  readonly table: Table;
  readonly only: Readonly<Record<string, string>>;
  readonly onOnly: (only: Readonly<Record<string, string>>) => void;
}

/** For each column of a few words, which of them to show. */
function Narrowing({ table: { columns, rows }, only, onOnly }: NarrowingProps) {
  return (
    <>
      {columns.map((column, at) => {
        if (!WORD_COLUMNS.has(column)) return null;
        const values = [...new Set(rows.map((row) => String(row[at])))];
        if (values.length < 2) return null;
        return (
          <select key={column} aria-label={t('run.only', { column: columnTitle(column) })} value={only[column] ?? ''} onChange={(event) => onOnly({ ...only, [column]: event.currentTarget.value })}>
            <option value="">
              {columnTitle(column)}: {t('run.any')}
            </option>
            {values.map((value) => (
              <option key={value} value={value}>
                {wordTitle(value)}
              </option>
            ))}
          </select>
        );
      })}
    </>
  );
}

function narrowed(table: Table, only: Readonly<Record<string, string>>): Table {
  const wanted = Object.entries(only).flatMap(([column, value]) => (value === '' ? [] : [[table.columns.indexOf(column), value] as const]));
  return wanted.length === 0 ? table : { ...table, rows: table.rows.filter((row) => wanted.every(([at, value]) => String(row[at]) === value)) };
}

function isTimed({ columns }: Table): boolean {
  return columns[0] === 'time';
}

/** The rows of the last moment that the table has until the clock's. */
function momentOf(table: Table, at: number | null): Table {
  if (!isTimed(table) || at === null) return table;
  const moments = [...new Set(table.rows.map(([time]) => String(time)))].sort();
  const held = moments[lastBefore(moments.map((time) => Date.parse(time)), at)];
  return { ...table, rows: table.rows.filter(([time]) => String(time) === held) };
}

function Rows({ table: { columns, rows } }: { table: Table }) {
  const place = columns.findIndex((column) => leads(column));
  return (
    <div class="table" tabIndex={0} role="region" aria-label={t('run.tables')}>
      <table class="sheet">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {columnTitle(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at} class={typeof value === 'number' ? 'is-number' : ''}>
                  {at === place && value !== null ? (
                    <button type="button" class="text-button" title={t('card.zoom')} onClick={() => void goToRow(columns, row)}>
                      {written(value)}
                    </button>
                  ) : (
                    <Linked text={cellText(columns[at] ?? '', value)} />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && <p class="quiet dock-empty">{t('run.more_rows', { count: number(rows.length - MOST_ROWS) })}</p>}
    </div>
  );
}

/** Numbers that name something, and degrees, which two decimals would move by a kilometre. */
const PLAIN: ReadonlySet<string> = new Set(['lon', 'lat', 'road', 'datastream']);

function cellText(column: string, value: unknown): string {
  if (PLAIN.has(column) && typeof value === 'number') return String(value);
  return written(WORD_COLUMNS.has(column) ? wordTitle(String(value)) : value);
}

const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;

function written(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value, view.value.language, Math.abs(value) < 10 ? 2 : 1);
  if (typeof value === 'string' && MOMENT.test(value)) return fullTime(Date.parse(value)).slice(5);
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no');
  return value === null || value === undefined ? '' : String(value);
}
