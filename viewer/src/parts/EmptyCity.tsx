/** Shown instead of an empty map: how a city comes in. */

import { pick, t } from '../i18n/text';
import { loadCities } from '../state/load';
import { city, isEmpty } from '../state/session';

export function EmptyCity() {
  if (!isEmpty.value) return null;
  const loaded = city.value;
  return (
    <section class="empty-city">
      <h2>{loaded ? t('empty.city_title', { title: pick(loaded.document.title) }) : t('empty.title')}</h2>
      <p>{t('empty.text')}</p>
      <dl>
        <dt>
          <code>twin demo</code>
        </dt>
        <dd>{t('empty.demo')}</dd>
        <dt>
          <code>twin load FILE</code>
        </dt>
        <dd>{t('empty.load')}</dd>
      </dl>
      <button type="button" class="button" onClick={() => void loadCities()}>
        {t('empty.retry')}
      </button>
    </section>
  );
}
