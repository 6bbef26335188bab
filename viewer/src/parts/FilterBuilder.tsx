/** Conditions built by hand: property, operator, value; all or any of them; within an area that is drawn, or in view. */

import { useId } from 'preact/hooks';
import type { Collection, Property } from '../api/documents';
import { pick, t } from '../i18n/text';
import type { Key } from '../i18n/en';
import { countRules, isGroup, NO_FILTER, operatorsFor, takesValue, toCql2, type Group, type LayerFilter, type Operator, type Rule, type Value } from '../state/filter';
import { announcement, map } from '../state/session';
import { filterOf, setFilter } from '../state/table';
import { Icon } from './Icon';

/** Groups within groups that can be built; a link may hold more. */
const DEEPEST = 2;

const ID: Property = { name: 'object_id', type: 'integer', title: { zh: '对象编号', en: 'Object number' } };

const WORDS = {
  '=': 'filter.is',
  '<>': 'filter.is_not',
  '<': 'filter.less',
  '<=': 'filter.at_most',
  '>': 'filter.more',
  '>=': 'filter.at_least',
  contains: 'filter.contains',
  begins: 'filter.begins',
  in: 'filter.in',
  empty: 'filter.empty',
  filled: 'filter.filled',
} as const satisfies Readonly<Record<Operator, Key>>;

export function FilterBuilder({ layer }: { layer: Collection }) {
  const filter = filterOf(layer.id);
  const properties = [...layer.twin.properties, ID];
  const change = (next: LayerFilter): void => setFilter(layer.id, next);
  const text = toCql2(filter);
  return (
    <section class="filter" aria-label={t('filter.title')}>
      <GroupEditor group={filter.group} properties={properties} depth={0} onChange={(group) => change({ ...filter, group })} />
      <div class="filter-foot">
        <label class="choice">
          <input type="checkbox" class="check" checked={filter.inView} onChange={(event) => change({ ...filter, inView: event.currentTarget.checked })} />
          {t('filter.in_view')}
        </label>
        {filter.area ? (
          <button type="button" class="chip" onClick={() => change({ ...filter, area: null })}>
            {t('filter.area_drawn')} <Icon name="close" />
          </button>
        ) : (
          <button type="button" class="text-button" disabled={!map.value} onClick={() => void drawArea(filter, change)}>
            <Icon name="pen" /> {t('filter.draw_area')}
          </button>
        )}
        <button type="button" class="text-button" disabled={countRules(filter) === 0 && filter.group.parts.length === 0} onClick={() => change(NO_FILTER)}>
          {t('filter.clear')}
        </button>
      </div>
      {text !== null && (
        <details class="cql">
          <summary>CQL2</summary>
          <code tabIndex={0}>{text}</code>
        </details>
      )}
    </section>
  );
}

async function drawArea(filter: LayerFilter, change: (next: LayerFilter) => void): Promise<void> {
  const ring = await map.peek()?.drawArea();
  if (!ring) return;
  change({ ...filter, area: ring });
  announcement.value = t('filter.area_drawn');
}

interface GroupProps {
  readonly group: Group;
  readonly properties: readonly Property[];
  readonly depth: number;
  readonly onChange: (group: Group) => void;
  readonly onRemove?: () => void;
}

function GroupEditor({ group, properties, depth, onChange, onRemove }: GroupProps) {
  const id = useId();
  const replace = (at: number, part: Rule | Group | null): void =>
    onChange({ ...group, parts: group.parts.flatMap((each, index) => (index === at ? (part ? [part] : []) : [each])) });
  const add = (part: Rule | Group): void => onChange({ ...group, parts: [...group.parts, part] });
  return (
    <div class={`filter-group${depth > 0 ? ' is-inner' : ''}`} role="group" aria-labelledby={id}>
      <div class="filter-match">
        <span id={id} class={depth === 0 && group.parts.length < 2 ? 'unseen' : undefined}>
          {t('filter.match')}
        </span>
        {(depth > 0 || group.parts.length > 1) && (
          <select aria-label={t('filter.match')} value={group.match} onChange={(event) => onChange({ ...group, match: event.currentTarget.value as Group['match'] })}>
            <option value="all">{t('filter.all')}</option>
            <option value="any">{t('filter.any')}</option>
          </select>
        )}
        {onRemove && (
          <button type="button" class="bare" aria-label={t('filter.remove_group')} onClick={onRemove}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <ul>
        {group.parts.map((part, index) => (
          <li key={index}>
            {isGroup(part) ? (
              <GroupEditor group={part} properties={properties} depth={depth + 1} onChange={(next) => replace(index, next)} onRemove={() => replace(index, null)} />
            ) : (
              <RuleEditor rule={part} properties={properties} onChange={(next) => replace(index, next)} onRemove={() => replace(index, null)} />
            )}
          </li>
        ))}
      </ul>
      <div class="filter-add">
        <button type="button" class="text-button" onClick={() => add(newRule(properties))}>
          <Icon name="plus" /> {t('filter.add')}
        </button>
        {depth < DEEPEST && (
          <button type="button" class="text-button" onClick={() => add({ match: group.match === 'all' ? 'any' : 'all', parts: [newRule(properties)] })}>
            <Icon name="plus" /> {t('filter.add_group')}
          </button>
        )}
      </div>
    </div>
  );
}

function newRule(properties: readonly Property[]): Rule {
  const property = properties.find((each) => each.codes) ?? properties[0] ?? ID;
  return { property: property.name, operator: operatorsFor(property)[0] ?? '=', values: [] };
}

interface RuleProps {
  readonly rule: Rule;
  readonly properties: readonly Property[];
  readonly onChange: (rule: Rule) => void;
  readonly onRemove: () => void;
}

function RuleEditor({ rule, properties, onChange, onRemove }: RuleProps) {
  const property = properties.find((each) => each.name === rule.property) ?? { name: rule.property, type: 'text', title: { zh: rule.property, en: rule.property } };
  const operators = operatorsFor(property);
  const choose = (name: string): void => {
    const next = properties.find((each) => each.name === name);
    if (next) onChange({ property: name, operator: operatorsFor(next)[0] ?? '=', values: [] });
  };
  return (
    <div class="filter-rule">
      <select aria-label={t('filter.property')} value={rule.property} onChange={(event) => choose(event.currentTarget.value)}>
        {properties.map((each) => (
          <option key={each.name} value={each.name}>
            {pick(each.title) || each.name}
          </option>
        ))}
      </select>
      <select aria-label={t('filter.operator')} value={rule.operator} onChange={(event) => onChange(withOperator(rule, event.currentTarget.value as Operator))}>
        {operators.map((operator) => (
          <option key={operator} value={operator}>
            {t(WORDS[operator])}
          </option>
        ))}
      </select>
      {takesValue(rule.operator) && <ValueEditor key={`${rule.property} ${rule.operator}`} rule={rule} property={property} onChange={(values) => onChange({ ...rule, values })} />}
      <button type="button" class="bare" aria-label={t('filter.remove')} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function withOperator(rule: Rule, operator: Operator): Rule {
  return { ...rule, operator, values: takesValue(operator) ? (operator === 'in' ? rule.values : rule.values.slice(0, 1)) : [] };
}

function ValueEditor({ rule, property, onChange }: { rule: Rule; property: Property; onChange: (values: readonly Value[]) => void }) {
  const label = t('filter.value');
  const value = rule.values[0];
  if (property.codes) {
    const several = rule.operator === 'in';
    const codes = Object.entries(property.codes).map(([code, title]) => [bareCode(code), pick(title)] as const);
    return (
      <select
        aria-label={label}
        multiple={several}
        size={several ? 5 : undefined}
        value={several ? undefined : String(value ?? '')}
        onChange={(event) => onChange([...event.currentTarget.selectedOptions].map((option) => option.value).filter(Boolean))}
      >
        {!several && <option value="">{t('filter.choose')}</option>}
        {codes.map(([code, title]) => (
          <option key={code} value={code} selected={several && rule.values.includes(code)}>
            {title === code ? code : `${title} (${code})`}
          </option>
        ))}
      </select>
    );
  }
  if (property.type === 'boolean') {
    return (
      <select aria-label={label} value={value === undefined ? '' : String(value)} onChange={(event) => onChange(event.currentTarget.value === '' ? [] : [event.currentTarget.value === 'true'])}>
        <option value="">{t('filter.choose')}</option>
        <option value="true">{t('value.yes')}</option>
        <option value="false">{t('value.no')}</option>
      </select>
    );
  }
  const isNumber = property.type === 'number' || property.type === 'integer';
  const read = (text: string): readonly Value[] => {
    if (text.trim() === '') return [];
    return isNumber ? (Number.isFinite(Number(text)) ? [Number(text)] : []) : [text];
  };
  const shared = {
    'aria-label': label,
    placeholder: label,
    value: value === undefined ? '' : String(value),
    onChange: (event: preact.TargetedEvent<HTMLInputElement>) => onChange(read(event.currentTarget.value)),
  };
  return (
    <label class="filter-value">
      {isNumber ? <input type="number" step="any" {...shared} /> : <input type="text" {...shared} />}
      {property.unit && <span class="unit">{property.unit}</span>}
    </label>
  );
}

/** A code by itself, of one that stands with its scheme. */
function bareCode(code: string): string {
  return code.includes(':') ? code.slice(code.indexOf(':') + 1) : code;
}
