/** What runs are called: their preset or scenario, when they were asked for, and what was asked for besides. */

import type { Attributes, Text } from '../../api/documents';
import type { Job, Process } from '../../api/scenarios';
import { number, pick, t } from '../../i18n/text';
import { readForm, type Field } from '../../state/scenarios/form';
import { askedOf, jobs, processes } from '../../state/scenarios/runs';
import { unitText } from '../../state/sensing/states';
import { view } from '../../state/store';
import { fullTime } from '../sensing/words';

/** Changes that are told; more are in the form. */
const MOST_CHANGES = 3;

export function runTitle(job: Job): string {
  return `${runName(job)} · ${runTime(job)}`;
}

export function runTime(job: Job): string {
  return fullTime(Date.parse(job.created)).slice(5);
}

export function runName(job: Job): string {
  const process = processOf(job);
  if (!process) return job.processID;
  return pick(nearest(job, process).title);
}

/** What was asked for beyond the preset, a field each. */
export function runChanges(job: Job): readonly string[] {
  const process = processOf(job);
  if (!process) return [];
  const { changed } = nearest(job, process);
  return changed.slice(0, MOST_CHANGES).map((field) => `${pick(field.title)} ${inputText(field, job.twin.inputs[field.name])}`);
}

/** What two runs of a scenario were asked for differently. */
export function differing(first: Job, second: Job): readonly Field[] {
  const process = processOf(first);
  const fields = process ? readForm(process).flatMap((group) => group.fields) : [];
  const [own, others] = [askedOf(first), askedOf(second)];
  return fields.filter(({ name }) => JSON.stringify(own[name]) !== JSON.stringify(others[name]));
}

/** A value of a form in words; of a list how many, of a shape that there is one. */
export function inputText({ asks, unit }: Pick<Field, 'asks' | 'unit'>, value: unknown): string {
  if (value === null || value === undefined) return '—';
  if (asks.kind === 'choice') return pick(asks.choices.find((choice) => choice.value === value)?.title ?? { zh: String(value), en: String(value) });
  if (asks.kind === 'pick' && asks.of === 'run') return runText(String(value));
  if (asks.kind === 'moment') return fullTime(Date.parse(String(value))).slice(5);
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no');
  if (typeof value === 'number') return `${number(value)} ${unitText(unit, view.value.language)}`.trim();
  if (asks.kind === 'box') return t('scenario.set');
  if (Array.isArray(value)) return String(value.length);
  return typeof value === 'object' ? t('scenario.set') : String(value);
}

/** A run that another one goes by. */
function runText(id: string): string {
  const job = jobs.value.find(({ jobID }) => jobID === id);
  return job ? runTitle(job) : id === 'latest' ? t('scenario.latest') : id;
}

/** A refusal that begins with a field's name, with what the form calls that field. */
export function withTitle(job: Job, refusal: string): string {
  const [, name, rest] = /^([a-z_]+)(?::\s*|：)(.*)$/s.exec(refusal) ?? [];
  const process = processOf(job);
  const field = process && readForm(process).flatMap((group) => group.fields).find((each) => each.name === name);
  return field && rest !== undefined ? t('run.refused_field', { field: pick(field.title), reason: rest }) : refusal;
}

function processOf(job: Job): Process | undefined {
  return processes.value?.find(({ id }) => id === job.processID);
}

/** The preset that a run differs from in the fewest fields, or the bare scenario where that is as near; and those fields. */
function nearest({ twin: { inputs } }: Job, { inputs: described, twin }: Process): { readonly title: Text; readonly changed: readonly Field[] } {
  const fields = readForm({ inputs: described }).flatMap((group) => group.fields);
  // When it is belongs to no preset.
  const beyond = (basis: Attributes): readonly Field[] => fields.filter(({ name, initial, asks }) => asks.kind !== 'moment' && name in inputs && !same(inputs[name], basis[name] ?? initial));
  const presets = Object.values(twin.presets).map((preset) => ({ title: preset.title, changed: beyond(preset.inputs) }));
  const [best] = presets.sort((a, b) => a.changed.length - b.changed.length);
  const bare = { title: twin.title, changed: beyond({}) };
  return best && (best.changed.length < bare.changed.length || best.changed.length === 0) ? best : bare;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

// Nothing is an empty list too; of things with fields of their own, which the server completes, their number is told.
function plain(value: unknown): unknown {
  if (!Array.isArray(value)) return value ?? null;
  if (value.length === 0) return null;
  return typeof value[0] === 'object' && !Array.isArray(value[0]) ? value.length : value;
}
