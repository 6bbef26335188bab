/** What a run came to in figures; beside another run, the figures of both and how they differ. */

import type { Attributes, Text } from '../../api/documents';
import type { Job } from '../../api/scenarios';
import { formatNumber, number, pick, t } from '../../i18n/text';
import { other } from '../../state/scenarios/runs';
import { unitText } from '../../state/sensing/states';
import { view } from '../../state/store';

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly title: Text;
}

export function Indicators({ job }: { job: Job }) {
  const told = job.twin.indicators ?? {};
  const figures = Object.entries(told).filter((entry): entry is [string, Figure] => isFigure(entry[1]));
  const beside = (other.value?.jobID === job.jobID ? null : other.value?.twin.indicators) ?? null;
  const notes = told['notes'];
  return (
    <section aria-label={t('run.figures')}>
      <h4 class="run-heading">{t('run.figures')}</h4>
      {figures.length > 0 && (
        <table class="figures indicators">
          {beside && (
            <thead>
              <tr>
                <td />
                <th scope="col">A</th>
                <th scope="col">B</th>
                <th scope="col">B − A</th>
              </tr>
            </thead>
          )}
          <tbody>
            {figures.map(([name, figure]) => (
              <Row key={name} figure={figure} second={beside ? figureOf(beside, name) : undefined} />
            ))}
          </tbody>
        </table>
      )}
      {Array.isArray(notes) && notes.length > 0 && (
        <ul class="run-notes">
          {notes.map((note) => (
            <li key={JSON.stringify(note)}>{isText(note) ? pick(note) : String(note)}</li>
          ))}
        </ul>
      )}
      <Others told={told} />
    </section>
  );
}

function Row({ figure, second }: { figure: Figure; second: number | null | undefined }) {
  const unit = unitText(figure.unit, view.value.language);
  const change = second === undefined || second === null ? null : second - figure.value;
  return (
    <tr>
      <th scope="row">
        {pick(figure.title)}
        {unit !== '' && second !== undefined && <small> {unit}</small>}
      </th>
      <td>
        {short(figure.value)} {second === undefined && unit !== '' && <small>{unit}</small>}
      </td>
      {second !== undefined && <td>{second === null ? '—' : short(second)}</td>}
      {second !== undefined && <td>{change === null ? '—' : `${change > 0 ? '+' : ''}${short(change)}`}</td>}
    </tr>
  );
}

/** Three digits that say something, and no more. */
function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  const { language } = view.value;
  // Nobody needs to count noughts.
  if (Math.abs(value) >= 1e7) return new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
  return Math.abs(value) >= 1000 ? formatNumber(value, language, 0) : formatNumber(Number(value.toPrecision(3)), language, 3);
}

/** What has no words of its own, for who wants to know how it was computed. */
function Others({ told }: { told: Attributes }) {
  const plain = Object.entries(told).filter(([name, value]) => !isFigure(value) && name !== 'notes' && value !== null);
  if (plain.length === 0) return null;
  return (
    <details class="run-more">
      <summary>{t('run.more')}</summary>
      <dl class="attributes">
        {plain.map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>{written(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function written(value: unknown): string {
  if (typeof value === 'number') return number(value, 4);
  if (Array.isArray(value)) return value.map(written).join(' – ');
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([name, each]) => `${name} ${written(each)}`).join(', ');
  return String(value);
}

function figureOf(told: Attributes, name: string): number | null {
  const found = told[name];
  return isFigure(found) ? found.value : null;
}

function isFigure(value: unknown): value is Figure {
  return typeof value === 'object' && value !== null && 'value' in value && 'title' in value && typeof value.value === 'number';
}

function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && 'zh' in value && 'en' in value;
}
