/** The form of a scenario, made of its description: presets, fields in groups that fold, and what was wrong beside each. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Geometry } from 'geojson';
import type { Attributes, Box } from '../../api/documents';
import type { Process } from '../../api/scenarios';
import { number, pick, t } from '../../i18n/text';
import { beyond, faultsOf, inputsOf, isGiven, matters, readForm, type Beyond, type Field, type Group } from '../../state/scenarios/form';
import { asking } from '../../state/scenarios/asking';
import { start } from '../../state/scenarios/runs';
import { boxOf } from '../../geo/scale';
import { city, drawing, map, shape as drawn } from '../../state/session';
import { Icon } from '../Icon';
import { FieldRow } from './FieldRow';

/** Fields whose text is no value, or whose value was refused. */
const WRONG = '[aria-invalid="true"], .is-wrong :is(input, select, textarea, button)';
/** Degrees, a kilometre. */
const AROUND = 0.01;

interface Props {
  readonly process: Process;
  readonly inputs: Attributes;
  readonly onLeave: () => void;
}

export function ProcessForm({ process, inputs, onLeave }: Props) {
  const groups = useMemo(() => readForm(process), [process]);
  // A shape that is being changed is shown by what changes it.
  const isChanging = drawing.value?.hint === 'change';
  const [values, setValues] = useState<Attributes>(inputs);
  const latest = useRef(values);
  latest.current = values;
  // The same scenario may be asked anew from elsewhere, such as an event's card.
  useEffect(() => setValues(inputs), [inputs]);
  // Another tab of the panel must not cost what was given.
  useEffect(() => () => {
    if (asking.peek()?.process === process) asking.value = { process, inputs: latest.current };
  }, []);
  const [refusal, setRefusal] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    if (refusal !== null) form.current?.querySelector<HTMLElement>(WRONG)?.focus();
  }, [refusal]);
  useEffect(() => {
    drawn.value = { type: 'GeometryCollection', geometries: isChanging ? [] : shapesIn(values) };
    return () => void (drawn.value = { type: 'GeometryCollection', geometries: [] });
  }, [values, isChanging]);
  const choose = (given: Attributes): void => {
    setValues(given);
    const box = boxAround(given);
    // With the streets around it.
    if (box) map.peek()?.showBox([box[0] - AROUND, box[1] - AROUND, box[2] + AROUND, box[3] + AROUND]);
  };
  const names = Object.keys(process.inputs);
  const refused = refusal === null ? {} : faultsOf(refusal, names);
  const presets = Object.entries(process.twin.presets).filter(([, preset]) => isHere(preset.inputs));
  const all = groups.flatMap(({ fields }) => fields);
  const own = Object.fromEntries(all.flatMap((field) => wordsOf(beyond(field, values[field.name]), field)));
  const faults: Readonly<Record<string, string>> = { ...refused, ...own };
  return (
    <form
      ref={form}
      class="process-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setRefusal(null);
        const isRead = form.current?.querySelector('[aria-invalid="true"]') === null;
        if (isRead && Object.keys(own).length === 0) start(process.id, inputsOf(groups, values), onLeave, setRefusal);
        else setRefusal('');
      }}
    >
      <button type="button" class="text-button back" onClick={onLeave}>
        <Icon name="chevron" /> {t('scenario.back')}
      </button>
      <h3 ref={heading} class="process-title" tabIndex={-1}>
        {pick(process.twin.title)}
      </h3>
      <p class="quiet">{pick(process.twin.description)}</p>
      {presets.length > 0 && (
        <fieldset class="presets">
          <legend>{t('scenario.presets')}</legend>
          {presets.map(([id, preset]) => (
            <label key={id} class="preset">
              <input type="radio" name="preset" checked={holdsAll(values, preset.inputs)} onChange={() => choose(preset.inputs)} />
              <span>{pick(preset.title)}</span>
            </label>
          ))}
        </fieldset>
      )}
      {groups.map((group) => (
        <GroupFields key={group.title?.en ?? ''} group={group} all={all} open={group.fields.some((field) => isGiven(field, inputs))} values={values} faults={faults} onChange={(name, value) => setValues((before) => ({ ...before, [name]: value }))} />
      ))}
      <div class="form-foot">
        <div role="alert">{refusal !== null && <p class="fault">{faults[''] || t('scenario.refused')}</p>}</div>
        <button type="submit" class="button is-main">
          <Icon name="play" /> {t('scenario.run')}
        </button>
      </div>
    </form>
  );
}

/** All that was drawn, however deep: it stays on the map while the form is open. */
function shapesIn(value: unknown): Geometry[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('type' in value && 'coordinates' in value) return [value as Geometry];
  return Object.values(value).flatMap(shapesIn);
}

function boxAround(inputs: Attributes): Box | null {
  return boxOf({ type: 'GeometryCollection', geometries: shapesIn(inputs) });
}

/** Whether what inputs draw lies in this city: a preset may be of another one. */
function isHere(inputs: Attributes): boolean {
  const [own, all] = [boxAround(inputs), city.value?.document.bbox];
  return !own || !all || (own[0] <= all[2] && own[2] >= all[0] && own[1] <= all[3] && own[3] >= all[1]);
}

function wordsOf(wrong: Beyond | null, { name }: Field): readonly (readonly [string, string])[] {
  return wrong === null ? [] : [[name, t(wrong.than, { value: number(wrong.value) })]];
}

function holdsAll(values: Attributes, preset: Attributes): boolean {
  return Object.keys(preset).length > 0 && Object.entries(preset).every(([name, value]) => JSON.stringify(values[name]) === JSON.stringify(value));
}

interface GroupProps {
  readonly group: Group;
  readonly all: readonly Field[];
  readonly open: boolean;
  readonly values: Attributes;
  readonly faults: Readonly<Record<string, string>>;
  readonly onChange: (name: string, value: unknown) => void;
}

function GroupFields({ group, all, open, values, faults, onChange }: GroupProps) {
  // What is wrong is shown even where it would not matter.
  const shown = group.fields.filter((field) => faults[field.name] !== undefined || matters(field, all, values));
  const given = shown.filter((field) => isGiven(field, values)).length;
  const wrong = shown.filter((field) => faults[field.name] !== undefined).length;
  const fields = shown.map((field) => (
    <FieldRow key={field.name} field={field} value={values[field.name]} fault={faults[field.name] ?? null} onChange={(value) => onChange(field.name, value)} />
  ));
  if (group.title === null) return <div class="field-group">{fields}</div>;
  return (
    // A group that holds what is wrong must not hide it.
    <details class="field-group" open={open || wrong > 0}>
      <summary>
        <span>{pick(group.title)}</span>
        {wrong > 0 ? <small class="fault">{t('scenario.wrong', { count: wrong })}</small> : given > 0 && <small>{t('scenario.given', { count: given })}</small>}
      </summary>
      {fields}
    </details>
  );
}
