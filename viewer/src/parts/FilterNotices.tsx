/** Says on the map itself that a layer shows only a part of its objects. */

import { pick, t } from '../i18n/text';
import { NO_FILTER, toCql2 } from '../state/filter';
import { city } from '../state/session';
import { openTable, setFilter } from '../state/table';
import { field } from '../state/store';
import { Icon } from './Icon';

const filters = field('filters');

export function FilterNotices() {
  const filtered = Object.entries(filters.value).filter(([, filter]) => toCql2(filter) !== null);
  const titled = filtered.flatMap(([id]) => {
    const layer = city.value?.collections.find((collection) => collection.id === id);
    return layer ? [{ id, title: pick(layer.twin.title) }] : [];
  });
  return (
    <>
      {titled.map(({ id, title }) => (
        <div key={id} class="notice" role="status">
          <Icon name="filter" />
          <span>{t('filter.shown', { title })}</span>
          <button type="button" class="text-button" onClick={() => openTable(id, 'filter')}>
            {t('filter.change')}
          </button>
          <button type="button" class="text-button" onClick={() => setFilter(id, NO_FILTER)}>
            {t('filter.clear')}
          </button>
        </div>
      ))}
    </>
  );
}
